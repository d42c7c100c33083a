"""Quantisation after training: weights in 8 bits through PyTorch's own tools, measured before and after.

Dynamic: weights of Linear, LSTM and GRU in 8 bits, what flows between layers stays in 32. Static: what flows is in
8 bits too, by ranges that training examples showed. Both compute on the CPU.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.linear import NonDynamicallyQuantizableLinear

from deepgui.after.subject import AfterError, Subject
from deepgui.data.batches import Batches
from deepgui.training.checkpoints import same_random_numbers

WAYS = ("dynamic", "static")
SUFFIX = ".ts"
_DYNAMIC = (nn.Linear, nn.LSTM, nn.GRU)
_LEFT_ALONE = (nn.Embedding, nn.EmbeddingBag, nn.RNN, nn.LSTM, nn.GRU, nn.LSTMCell, nn.GRUCell, nn.MultiheadAttention)
"""Layers for which static quantisation needs settings of their own, or that it does not know."""
_PART_OF_ATTENTION = NonDynamicallyQuantizableLinear
_KNOWN = {
    "dynamic": "dynamic quantisation knows Linear, LSTM and GRU",
    "static": "static quantisation does not know them",
}
_CALIBRATION = (16, 64)  # batches, examples in each
_CHECKED = (2, 5)  # sizes of the batches that a saved file is asked about
_TOLERANCE = 1e-5
_SEED = 0

Arguments = tuple[Tensor, ...]


@dataclass(frozen=True)
class Measured:
    """A network as a file: its size, and how good it is on the split.

    Attributes:
        bytes: of its TorchScript file.
    """

    bytes: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Quantised:
    """What quantisation did.

    Attributes:
        way: one of :data:`WAYS`.
        layers: how many of each kind have weights in 8 bits now.
        left: how many of each kind still have weights in 32 bits.
    """

    way: str
    layers: Mapping[str, int]
    left: Mapping[str, int]
    before: Measured
    after: Measured

    @property
    def remark(self) -> str:
        """A sentence on what stays in 32 bits; empty if nothing does."""
        if not self.left:
            return ""
        named = ", ".join(f"{count} × {kind}" for kind, count in self.left.items())
        return f"In 32 bits as before: {named}; {_KNOWN[self.way]}."


def quantise(subject: Subject, way: str, path: Path | None = None) -> Quantised:
    """Quantise the first network, save it, load it again, compare, and measure it.

    Args:
        path: where the TorchScript file is kept; ``torch.jit.load`` reads it without DeepGUI.

    Raises:
        AfterError: it cannot be quantised, or not be saved.
    """
    with tempfile.TemporaryDirectory() as folder, _without_warnings():
        module = quantised(subject, way)
        layers, left = _layers(module)
        if not layers:
            named = ", ".join(left) or "layers without weights"
            raise AfterError(f"Nothing of this network can be quantised ({way}): it consists of {named}.")
        asked = [next(_arguments(subject, size)) for size in _CHECKED]
        first, second = Path(folder, f"before{SUFFIX}"), path or Path(folder, f"after{SUFFIX}")
        before, after = (_saved(m, asked, file) for m, file in ((subject.module, first), (module, second)))
        return Quantised(
            way, layers, left, Measured(before, subject.metrics()), Measured(after, _metrics(subject, module))
        )


def quantised(subject: Subject, way: str) -> nn.Module:
    """A copy of the first network with weights in 8 bits. Raises AfterError."""
    if torch.backends.quantized.engine == "none":
        raise AfterError("This build of PyTorch has nothing that computes in 8 bits.")
    module = copy.deepcopy(subject.module).cpu().eval()
    if way == "dynamic":
        from torch.ao.quantization import quantize_dynamic

        made: nn.Module = quantize_dynamic(module, set(_DYNAMIC))  # type: ignore[no-untyped-call]
        return made
    if way == "static":
        return _static(module, subject)
    raise ValueError(f"the way must be one of {', '.join(WAYS)}, not {way!r}.")


def _static(module: nn.Module, subject: Subject) -> nn.Module:
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    mapping = get_default_qconfig_mapping(torch.backends.quantized.engine)
    for kind in _LEFT_ALONE:
        mapping.set_object_type(kind, None)
    batches, size = _CALIBRATION
    examples = list(islice(_arguments(subject, size), batches))
    try:
        watched = prepare_fx(module, mapping, examples[0])
        with torch.no_grad():
            for arguments in examples:
                watched(*arguments)
        made: nn.Module = convert_fx(watched)
        with torch.no_grad():
            made(*examples[0])
    except Exception as error:  # whatever a layer says to a tensor in 8 bits
        raise AfterError(
            f"Static quantisation cannot follow this network ({_short(error)}): try dynamic quantisation."
        ) from error
    return made


def _arguments(subject: Subject, size: int) -> Iterator[Arguments]:
    """What the network is called with for training examples, in batches, in a shuffled order."""
    batches = Batches(subject.dataset.train, size, shuffle=True, seed=_SEED)
    with same_random_numbers(torch.device("cpu")):
        torch.manual_seed(_SEED)
        found = [
            tuple(subject.objective.arguments(subject.objective.complete(batch)))
            for batch in islice(batches.epoch(0), _CALIBRATION[0])
        ]
    if not found:
        raise AfterError("The data has no training examples, which are needed to quantise and to check.")
    yield from found


def _layers(module: nn.Module) -> tuple[dict[str, int], dict[str, int]]:
    """Kinds of layer with weights in 8 bits, and of those with weights in 32."""
    eight: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for layer in module.modules():
        if type(layer).__module__.startswith("torch.ao.nn") and ".quantized" in type(layer).__module__:
            if hasattr(layer, "weight") or hasattr(layer, "_all_weight_values"):
                eight[type(layer).__name__.removeprefix("DynamicQuantized")] += 1
        elif any(p.dim() > 1 for p in layer.parameters(recurse=False)) and not isinstance(layer, _PART_OF_ATTENTION):
            left[_kind(layer)] += 1
    return dict(eight), dict(left)


def _kind(layer: nn.Module) -> str:
    """What people call a layer; a tensor that stands for itself in a drawing belongs to what contains it."""
    if isinstance(layer, fx.GraphModule) or type(layer) is nn.Module:
        return "Parameter"
    package = type(layer).__module__.partition(".")[0]
    return type(layer).__name__ if package == "torch" else f"{type(layer).__name__} of {package}"


def _saved(module: nn.Module, asked: list[Arguments], path: Path) -> int:
    """Write a module, load it again, and ask both the same. Returns the file's bytes."""
    try:
        traced = torch.jit.trace(module, asked[0], check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, path)  # type: ignore[no-untyped-call]
        loaded = torch.jit.load(path)  # type: ignore[no-untyped-call]
        same = all(_close(_answer(loaded, arguments), _answer(module, arguments)) for arguments in asked)
    except OSError as error:
        raise AfterError(f"{path}: the file cannot be written ({error.strerror}).") from None
    except Exception as error:  # the tracer raises what a layer raises, and errors of its own
        raise AfterError(f"This network cannot be saved as TorchScript ({_short(error)}).") from error
    if not same:
        path.unlink(missing_ok=True)
        raise AfterError("The saved file does not answer as the network does, so it was not kept.")
    return path.stat().st_size


@torch.no_grad()
def _answer(module: Any, arguments: Arguments) -> list[Tensor]:
    with same_random_numbers(torch.device("cpu")):
        torch.manual_seed(_SEED)
        found = module(*arguments)
    return [found] if isinstance(found, Tensor) else list(found)


def _close(one: list[Tensor], other: list[Tensor]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a.shape == b.shape and torch.allclose(a, b, _TOLERANCE, _TOLERANCE, equal_nan=True) for a, b in pairs)


def _metrics(subject: Subject, module: nn.Module) -> Mapping[str, float]:
    try:
        return subject.metrics(module)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise AfterError(f"The quantised network cannot be measured ({_short(error)}).") from error


def _short(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words[:150]}"


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Without PyTorch's notes that these tools will be replaced: nothing that its users could act on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
