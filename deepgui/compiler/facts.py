"""What one layer makes of what it is given, found by running the real layer on the meta device.

Two batch sizes are run; from the two results every output dimension is solved as ``a·N + c``. The
answer depends only on the kind, its parameters and the incoming types, and is remembered.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from deepgui.catalog.corrections import SHORTENED
from deepgui.catalog.graph_layers import CATEGORY as GRAPH
from deepgui.catalog.own.declared import is_own
from deepgui.catalog.own.loading import obstacle, said
from deepgui.catalog.spec import LayerSpec, PortSpec, Value
from deepgui.compiler.call import arguments, constructor_arguments
from deepgui.compiler.lower import resolve
from deepgui.graph.shapes import Dim, TensorType

BATCHES = (83, 89)
"""Two primes: sizes that no layer's own dimensions are likely to equal."""

FREE = {"N": BATCHES, "E": (97, 103), "G": (7, 11)}
"""Two sizes for each free one, by its first letter. Every dimension may depend on one of them."""

UNNAMED = "?"
"""Stands in ``N?`` for the number by which a network tells apart the sizes that its layers choose."""

SHORT = 3
"""Sequence length on which recurrent layers are run; their meta kernels go step by step."""

Types = Mapping[str, tuple[TensorType, ...]]


@dataclass(frozen=True)
class Facts:
    """Outputs by port, the parameters in force, and the cost of one example.

    Attributes:
        error: PyTorch's complaint in its own words, if the layer cannot take these inputs.
        multiply_adds: of one example, forward pass.
    """

    outputs: Mapping[str, TensorType] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    inferred: frozenset[str] = frozenset()
    parameters: int = 0
    multiply_adds: int = 0
    error: str = ""


_remembered: dict[Any, Facts] = {}
_REMEMBER = 20_000
_SMALL = 10_000_000


def facts(spec: LayerSpec, params: Mapping[str, Value], types: Types) -> Facts:
    """What the layer does to inputs of these types. Never raises; see :attr:`Facts.error`."""
    if why := obstacle(spec.target):
        return Facts(params={p.name: spec.value(params, p.name) for p in spec.params}, error=why)
    key = (spec.kind, spec.target, params_key(params), tuple(sorted(types.items())))
    known = _remembered.get(key)
    if known is None:
        if len(_remembered) > _REMEMBER:
            _remembered.clear()
        known = _remembered[key] = _find(spec, params, types)
    return known


def forget() -> None:
    """Remember nothing of any layer; for measuring what a first look costs."""
    _remembered.clear()


def params_key(params: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    """Parameters as text: 1, 1.0 and True are equal to Python but not to torch."""
    return tuple(sorted((name, repr(value)) for name, value in params.items()))


def infer(spec: LayerSpec, params: Mapping[str, Value], types: Types) -> dict[str, int]:
    """The sizes that the incoming wires give to parameters the user left out."""
    found = {}
    for param in spec.params:
        if param.infer is None or params.get(param.name) is not None:
            continue
        size = incoming(param.infer.port, param.infer.dim, types)
        if size is not None:
            found[param.name] = size
    return found


def incoming(port: str, dim: int, types: Types) -> int | None:
    """A fixed dimension of what comes in at a port; None if it is not there or depends on the batch."""
    arriving = types.get(port)
    if not arriving:
        return None
    dims = arriving[0].dims
    if not -len(dims) <= dim < len(dims) or dims[dim].batch:
        return None
    return dims[dim].const


def _find(spec: LayerSpec, params: Mapping[str, Value], types: Types) -> Facts:
    inferred = infer(spec, params, types)
    in_force = {p.name: inferred.get(p.name, spec.value(params, p.name)) for p in spec.params}
    known: dict[str, Any] = {"params": in_force, "inferred": frozenset(inferred)}
    try:
        weights, flops, outputs = _measure(spec, params, types, inferred, "meta")
    except (Exception, SystemExit) as error:  # layers raise whatever they like for a bad shape
        if not _needs_values(error, types):
            return Facts(**known, error=_words(error, spec))
        try:
            weights, flops, outputs = _measure(spec, params, types, inferred, "cpu")
        except (Exception, SystemExit) as again:
            return Facts(**known, error=_words(again, spec))
    outputs, factor = _stretched(spec, in_force, types, outputs)
    multiply_adds = flops * factor // (2 * BATCHES[0])
    return Facts(outputs, parameters=weights, multiply_adds=multiply_adds, **known)


def _measure(
    spec: LayerSpec, params: Mapping[str, Value], types: Types, inferred: Mapping[str, Value], device: str
) -> tuple[int, int, dict[str, TensorType]]:
    """Number of weights, floating-point operations at the first batch size, and output types."""
    with _quietly():
        with torch.device(device):
            call = _callable(spec, params, inferred)
        weights = sum(p.numel() for p in call.parameters()) if isinstance(call, nn.Module) else 0
        counter = FlopCounterMode(display=False)
        free = _free(spec, types)
        sizes = {of: FREE[of[0]][0] for of in (*FREE, *free)}
        with counter:
            first = _run(spec, call, params, types, (sizes, device))
        others = {of: _run(spec, call, params, types, ({**sizes, of: FREE[of[0]][1]}, device)) for of in free}
        return weights, counter.get_total_flops(), _solve(spec, params, first, others)


def _free(spec: LayerSpec, types: Types) -> list[str]:
    """The free sizes that the outputs can depend on; of graphs there are as many as their numbers say."""
    arriving = {d.of for ts in types.values() for t in ts for d in t.dims if d.batch}
    graphs = {"G"} if spec.category == GRAPH and "batch" in types else set()
    return sorted(arriving | graphs, key=lambda of: (list(FREE).index(of[0]), of)) or ["N"]


@contextmanager
def _quietly() -> Iterator[None]:
    """No gradients, no warnings, and no random numbers used up."""
    with torch.random.fork_rng(devices=[]), torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _needs_values(error: BaseException, types: Types) -> bool:
    """Whether a layer failed because it looks at values, which meta tensors lack, and is small enough to run."""
    text = str(error)
    looks = isinstance(error, NotImplementedError) or "meta" in text or "data-dependent" in text
    return looks and sum(t.numel(BATCHES[1]) for ts in types.values() for t in ts) < _SMALL


def _callable(spec: LayerSpec, params: Mapping[str, Value], inferred: Mapping[str, Value]) -> Any:
    target = resolve(spec.target)
    return target(**constructor_arguments(spec, params, inferred)) if spec.form == "module" else target


Where = tuple[Mapping[str, int], str]
"""The free sizes, and a device."""


def _run(spec: LayerSpec, call: Any, params: Mapping[str, Value], types: Types, where: Where) -> Any:
    """Call the layer on zeros of the incoming types, for free sizes on a device, as the lowered graph would."""
    tensors = {port: [_zeros(spec, params, port, t, where) for t in ts] for port, ts in types.items()}
    args, kwargs = arguments(spec, params, tensors)
    return call(*args, **kwargs)


def _zeros(spec: LayerSpec, params: Mapping[str, Value], port: str, t: TensorType, where: Where) -> torch.Tensor:
    sizes, device = where
    shape = [d.given(sizes) for d in t.dims]
    if spec.category == GRAPH and port == "batch" and len(shape) == 1:
        return torch.arange(shape[0], device=device) * sizes["G"] // max(shape[0], 1)
    if spec.kind in SHORTENED and port == "input" and len(shape) == 3:
        shape[_time(spec, params)] = min(SHORT, shape[_time(spec, params)])
    return torch.zeros(shape, dtype=getattr(torch, t.dtype), device=device)


def _time(spec: LayerSpec, params: Mapping[str, Value]) -> int:
    return 1 if spec.value(params, "batch_first") else 0


def _stretched(
    spec: LayerSpec, in_force: Mapping[str, Value], types: Types, outputs: dict[str, TensorType]
) -> tuple[dict[str, TensorType], int]:
    """Put the real sequence length back into what was found on a short one. Returns the cost factor, too."""
    if spec.kind not in SHORTENED or len(types["input"][0].dims) != 3:
        return outputs, 1
    time = 1 if in_force["batch_first"] else 0
    length = types["input"][0].dims[time]
    if length.batch or length.const <= SHORT:
        return outputs, 1
    long = outputs["output"]
    dims = (*long.dims[:time], length, *long.dims[time + 1 :])
    # The cost of a step does not depend on its place in the sequence; rounding down loses less than a step.
    return {**outputs, "output": TensorType(dims, long.dtype)}, max(1, round(length.const / SHORT))


def _solve(
    spec: LayerSpec, params: Mapping[str, Value], first: Any, others: Mapping[str, Any]
) -> dict[str, TensorType]:
    """Output types from one run and, for each free size, another in which only that one was larger."""
    found = {}
    ports = spec.active_outputs(params)
    if any(p.repeat for p in spec.outputs) and len(first) != len(ports):
        raise ValueError(f"there are {len(first)} parts, but {len(ports)} outputs")
    for port in ports:
        a, more = first, dict(others)
        for step in port.path:
            a, more = a[step], {of: b[step] for of, b in more.items()}
        if not isinstance(a, torch.Tensor):
            if is_own(spec.target) and a is not None:
                raise ValueError(f"it returns {type(a).__name__} where a tensor is expected")
            continue
        found[port.name] = _type(port, a, more)
    return found


def _type(port: PortSpec, a: torch.Tensor, others: Mapping[str, torch.Tensor]) -> TensorType:
    dtype = str(a.dtype).removeprefix("torch.")
    if port.free is not None:  # how many were chosen in one run or another tells nothing
        place, counts = port.free
        own = Dim(1, 0, f"{counts}{UNNAMED}")
        return TensorType(tuple(own if i == place else Dim(0, x) for i, x in enumerate(a.shape)), dtype)
    if any(a.dim() != b.dim() for b in others.values()):
        raise ValueError("the number of dimensions depends on the batch size")
    return TensorType(
        tuple(_dim(x, {of: b.shape[i] for of, b in others.items()}) for i, x in enumerate(a.shape)), dtype
    )


def _dim(x: int, others: Mapping[str, int]) -> Dim:
    """A dimension from its size, and from what it is when one free size is larger."""
    changed = {of: y for of, y in others.items() if y != x}
    if not changed:
        return Dim(0, x)
    if len(changed) > 1:
        raise ValueError(f"the size of a dimension depends on {' and '.join(changed)} at once")
    ((of, y),) = changed.items()
    slope, rest = divmod(y - x, FREE[of[0]][1] - FREE[of[0]][0])
    if rest:
        raise ValueError("the size of a dimension is not proportional to the batch size")
    return Dim(slope, x - slope * FREE[of[0]][0], of)


def _words(error: BaseException, spec: LayerSpec) -> str:
    """The first plain line of an exception's message; of a layer of one's own with the line of its code."""
    if is_own(spec.target):
        return said(error, spec.target.rpartition(".")[0])
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
