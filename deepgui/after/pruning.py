"""Pruning: weights that matter least become zero, and what that costs."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn.utils import prune as torch_prune

from deepgui.after.subject import AfterError, Subject

METHODS = ("magnitude", "channels")
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_WITH_CHANNELS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, *_TRANSPOSED)
_SPARED = (nn.Embedding, nn.EmbeddingBag, nn.LayerNorm, fx.GraphModule)
"""Rows of a table are looked up one by one, a norm only scales, and a tensor that stands for itself in a drawing may
be anything: small numbers there are not unimportant ones."""


@dataclass(frozen=True)
class Size:
    """How large a network's parameters are.

    Attributes:
        parameters, nonzero: counts; what several layers share counts once.
        bytes: as they are in memory.
        compressed: the same bytes deflated (zlib), which is where zeros begin to count on a disk.
    """

    parameters: int
    nonzero: int
    bytes: int
    compressed: int


@dataclass(frozen=True)
class Pruned:
    """A network of which a share was pruned, measured.

    Attributes:
        share: what was asked for, 0 to 1, of the weights or of each layer's output channels.
        zeros: the share of all parameters that are zero now.
    """

    share: float
    zeros: float
    size: Size
    metrics: Mapping[str, float]


def pruned(module: nn.Module, share: float, method: str = "magnitude") -> nn.Module:
    """A copy of a module in which a share of the weights is zero for good.

    Args:
        share: from 0 up to, but not including, 1.
        method: ``magnitude``: the smallest weights of all layers together. ``channels``: in every Linear and
            convolution the output channels with the smallest L1 norm, their biases included; the layers that
            give the answer keep all of theirs. At least one channel of a layer stays.

    Raises:
        AfterError: there is nothing to prune.
    """
    if not 0 <= share < 1:
        raise AfterError(f"The share to prune must be from 0 up to, but not including, 1, not {share:g}.")
    made = copy.deepcopy(module)
    if method == "magnitude":
        _by_magnitude(made, share)
    elif method == "channels":
        _by_channels(made, share)
    else:
        raise ValueError(f"the method must be one of {', '.join(METHODS)}, not {method!r}.")
    return made


def table(subject: Subject, shares: Sequence[float], method: str = "magnitude") -> list[Pruned]:
    """The network as it is, then pruned by each share: size and metrics. Raises AfterError."""
    rows = []
    for share in dict.fromkeys((0.0, *shares)):
        module = pruned(subject.module, share, method)
        size = size_of(module)
        zeros = 1 - size.nonzero / max(1, size.parameters)
        rows.append(Pruned(share, zeros, size, subject.metrics(module)))
    return rows


def size_of(module: nn.Module) -> Size:
    """Count and measure the parameters of a module."""
    values = [p.detach().cpu().contiguous() for p in module.parameters()]
    raw = [v.reshape(-1).view(torch.uint8).numpy().tobytes() for v in values]
    return Size(
        sum(v.numel() for v in values),
        sum(int(v.count_nonzero()) for v in values),
        sum(map(len, raw)),
        len(zlib.compress(b"".join(raw))),
    )


def weights_of(module: nn.Module) -> dict[str, Tensor]:
    """The state dict with the zeros in it, each tensor with memory of its own, as weights are exported."""
    return {name: t.detach().cpu().clone().contiguous() for name, t in module.state_dict().items()}


def _by_magnitude(module: nn.Module, share: float) -> None:
    weights = list(_weights(module))
    if not weights:
        raise AfterError("This network has no weights of layers that could be pruned.")
    torch_prune.global_unstructured(weights, torch_prune.L1Unstructured, amount=float(share))
    for owner, name in weights:
        torch_prune.remove(owner, name)  # type: ignore[no-untyped-call]


def _weights(module: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Every matrix or kernel with its layer, once: layers may share one."""
    seen: set[int] = set()
    for owner in module.modules():
        if isinstance(owner, _SPARED):
            continue
        for name, parameter in list(owner.named_parameters(recurse=False)):
            if parameter.dim() > 1 and type(owner) is not nn.Module and id(parameter) not in seen:
                seen.add(id(parameter))
                yield owner, name


def _by_channels(module: nn.Module, share: float) -> None:
    answering = set(_answering(module))
    layers = [m for m in module.modules() if isinstance(m, _WITH_CHANNELS) and m not in answering]
    if not layers:
        raise AfterError(
            "This network has no Linear or convolution before the one that gives the answer, so no channels can go."
        )
    for layer in layers:
        _without_channels(layer, share)


def _without_channels(layer: nn.Module, share: float) -> None:
    dim = 1 if isinstance(layer, _TRANSPOSED) else 0
    weight = layer.weight
    assert isinstance(weight, Tensor)
    amount = min(int(share * weight.shape[dim]), weight.shape[dim] - 1)
    torch_prune.ln_structured(layer, "weight", amount=amount, n=1, dim=dim)  # type: ignore[no-untyped-call]
    mask = layer.weight_mask
    assert isinstance(mask, Tensor)
    bias = layer.bias
    if isinstance(bias, Tensor) and len(bias) == mask.shape[dim]:  # a transposed convolution in groups has more
        bias.data *= mask.transpose(0, dim).flatten(1).amax(1)
    torch_prune.remove(layer, "weight")  # type: ignore[no-untyped-call]


def _answering(module: nn.Module) -> Iterator[nn.Module]:
    """The layers whose channels are the network's answer: the last ones on every way to an output."""
    if isinstance(module, _WITH_CHANNELS):
        yield module
    elif isinstance(module, fx.GraphModule):
        yield from _last_of_graph(module)
    elif isinstance(module, nn.Sequential):
        for child in reversed(list(module)):
            if found := list(_answering(child)):
                yield from found
                return
    else:
        yield from (m for m in module.modules() if isinstance(m, _WITH_CHANNELS))


def _last_of_graph(module: fx.GraphModule) -> Iterator[nn.Module]:
    waiting, seen = [node for node in module.graph.nodes if node.op == "output"], set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        found = list(_answering(module.get_submodule(str(node.target)))) if node.op == "call_module" else []
        yield from found
        if not found:
            waiting.extend(node.all_input_nodes)
