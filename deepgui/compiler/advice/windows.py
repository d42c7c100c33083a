"""Windows that move over pictures and sequences: too large for what arrives, or padded in a way PyTorch refuses."""

from __future__ import annotations

from collections.abc import Iterator

from deepgui.catalog.spec import Value
from deepgui.compiler.advice.case import Case, folded, spread
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType


def wrong_windows(case: Case) -> Iterator[Problem]:
    """Windows that do not fit, of layers that were refused."""
    first = case.first
    if first is None or not case.facts.error:
        return
    found = [*_padded_too_far(case, first), *_same_with_stride(case, first)]
    yield from found or _too_small(case, first)


def _too_small(case: Case, arriving: TensorType) -> Iterator[Problem]:
    """A window that is larger than the picture it should move over."""
    kernel = case.facts.params.get("kernel_size")
    spatial = [d.const for d in arriving.dims[2:]]
    if kernel is None or not spatial or "Transpose" in case.spec.kind or "Unpool" in case.spec.kind:
        return
    sizes = spread(kernel, len(spatial))
    padding = spread(case.facts.params.get("padding", 0), len(spatial))
    dilation = spread(case.facts.params.get("dilation", 1), len(spatial))
    if not (sizes and padding and dilation):
        return
    reach = [d * (k - 1) + 1 for k, d in zip(sizes, dilation, strict=True)]
    if all(s + 2 * p >= r for s, p, r in zip(spatial, padding, reach, strict=True)):
        return
    source = case.source(case.first_port)
    drawn_so = source is not None and source.kind == "Input"
    yield case.problem(
        "window-too-large",
        f"a window of {'×'.join(map(str, reach))} does not fit into {arriving.shape}.",
        case.first_port,
        expected=f"at least {'×'.join(map(str, reach))} with padding",
        received=arriving.shape,
        reason="The picture itself is smaller than the window: pad it, or use a smaller window."
        if drawn_so
        else "Earlier pooling or strides have made the picture too small: pool less often, or start from larger ones.",
        fix=_smaller_window(case, sizes, spatial, reach),
    )


def _smaller_window(case: Case, sizes: list[int], spatial: list[int], reach: list[int]) -> Fix | None:
    """A convolution is padded; a pooling that finds nothing left to pool goes."""
    if case.spec.category == "Pooling":
        fitting = [min(k, s) for k, s in zip(sizes, spatial, strict=True)]
        return (
            case.remove()
            if max(fitting) <= 1 or "dilation" in case.node.params
            else case.set("kernel_size", folded(fitting))
        )
    plain = case.facts.params.get("padding_mode", "zeros") == "zeros" and "padding" in case.facts.params
    return case.set("padding", folded([r // 2 for r in reach])) if plain else None


def _padded_too_far(case: Case, arriving: TensorType) -> Iterator[Problem]:
    spatial = [d.const for d in arriving.dims[2:]]
    if case.spec.category == "Pooling":
        sizes = spread(case.facts.params.get("kernel_size"), len(spatial))
        padding = spread(case.facts.params.get("padding"), len(spatial))
        most = [k // 2 for k in sizes]
        why = "A pooling window must cover something of the picture, so padding is at most half of kernel_size."
    elif case.spec.kind.startswith(("ReflectionPad", "CircularPad")):
        padding = spread(case.facts.params.get("padding"), 2 * len(spatial))
        circular = case.spec.kind.startswith("CircularPad")
        room = [s if circular else s - 1 for s in spatial]
        most = [m for m in reversed(room) for _ in range(2)]
        why = "The padding repeats what is in the picture, so it cannot be wider than that: pad less."
    else:
        return
    if padding and most and any(p > m for p, m in zip(padding, most, strict=True)):
        yield case.problem(
            "padding-too-large",
            f"a padding of {_shown(padding)} is too much for {arriving.shape}.",
            case.first_port,
            expected=f"at most {_shown(most)}",
            received=arriving.shape,
            reason=why,
            fix=case.set("padding", folded([min(p, m) for p, m in zip(padding, most, strict=True)])),
        )


def _shown(sizes: list[int]) -> Value:
    return folded(sizes)


def _same_with_stride(case: Case, arriving: TensorType) -> Iterator[Problem]:
    strides = spread(case.facts.params.get("stride"), len(arriving.dims) - 2)
    if case.facts.params.get("padding") != "same" or max(strides, default=1) == 1:
        return
    kernel = spread(case.facts.params.get("kernel_size"), len(strides))
    dilation = spread(case.facts.params.get("dilation", 1), len(strides))
    halves = [d * (k - 1) // 2 for k, d in zip(kernel, dilation, strict=False)]
    yield case.problem(
        "padding-too-large",
        f"padding='same' cannot be had with a stride of {_shown(strides)} ({arriving.shape}).",
        case.first_port,
        expected="a number as padding",
        received=arriving.shape,
        reason="A stride makes the picture smaller, so it cannot stay the same: give the padding as a number.",
        fix=case.set("padding", folded(halves)) if halves else None,
    )


def wrong_output_padding(case: Case) -> Iterator[Problem]:
    """Rows added at the end of a transposed convolution that no stride accounts for; found only when it runs."""
    first = case.first
    extra = case.facts.params.get("output_padding")
    if first is None or not extra or "Transpose" not in case.spec.kind:
        return
    count = len(first.dims) - 2
    extras = spread(extra, count)
    most = [
        max(s, d) - 1
        for s, d in zip(
            spread(case.facts.params.get("stride", 1), count),
            spread(case.facts.params.get("dilation", 1), count),
            strict=False,
        )
    ]
    if len(extras) == len(most) and any(e > m for e, m in zip(extras, most, strict=True)):
        yield case.problem(
            "padding-too-large",
            f"output_padding is {_shown(extras)}, but must be smaller than stride or dilation ({first.shape}).",
            case.first_port,
            expected=f"at most {_shown(most)}",
            received=first.shape,
            reason="It says which of the sizes that the stride would have made equal is meant: choose a smaller one.",
            fix=case.set("output_padding", folded([min(e, m) for e, m in zip(extras, most, strict=True)])),
        )
