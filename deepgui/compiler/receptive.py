"""Receptive fields: how much of the input each place of a result sees, and how far apart places see.

Exact along chains of convolutions and poolings; where branches meet, the largest counts. After Araujo, Norris and
Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from deepgui.catalog.spec import LayerSpec, Registry, Value
from deepgui.compiler.advice.case import is_elementwise, spread
from deepgui.compiler.report import NodeReport, Report
from deepgui.graph import blocks, topology
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network

_PER_PIXEL = ("BatchNorm", "Dropout", "LocalResponseNorm", "CrossMapLRN", "AlphaDropout", "FeatureAlphaDropout")
_JOINING = ("add", "sub", "mul", "div", "maximum", "minimum", "cat", "Identity", "expand_batch", "contiguous", "clamp")


@dataclass(frozen=True)
class Field:
    """What one place of a result sees, along each spatial dimension.

    Attributes:
        size: pixels of the input, or steps.
        jump: pixels of the input between what neighbouring places see; below 1 behind upsampling.
    """

    size: tuple[int, ...]
    jump: tuple[Fraction, ...]

    def __str__(self) -> str:
        """``5``, or ``3×5`` where the dimensions differ."""
        return str(self.size[0]) if len(set(self.size)) == 1 else "×".join(map(str, self.size))


def fields(network: Network, registry: Registry, report: Report) -> dict[str, Field]:
    """The receptive field of every layer that has one, by path (``conv``, ``stage.2.conv``).

    A layer has none behind anything that mixes all places (Flatten, Linear over pixels, attention, a global
    pooling), nor if it has no places at all.
    """
    found: dict[str, Field] = {}
    _walk(blocks.bind(network, {}, registry), registry, report, {}, "", found)
    return found


def _walk(
    network: Network,
    registry: Registry,
    report: Report,
    given: Mapping[str, Field],
    prefix: str,
    found: dict[str, Field],
) -> dict[str, Field]:
    """Fields of a drawing into ``found``; returns those that arrive at its Outputs, by port."""
    known: dict[str, Field] = {}
    answers: dict[str, Field] = {}
    inputs = blocks.port_names(network, "Input")
    outputs = blocks.port_names(network, "Output")
    for node_id in topology.order(network):
        node, there = network.nodes[node_id], report.nodes.get(node_id)
        spec = registry.get(node.kind)
        if spec is None or there is None:
            continue
        arriving = [known[w.source] for w in network.into(node_id) if w.source in known]
        fed = len(network.into(node_id))
        if spec.form == "input":
            field = given.get(inputs[node_id]) if prefix else _start(there)
        elif node_id in outputs:
            if arriving:
                answers[outputs[node_id]] = arriving[0]
            continue
        elif not arriving:
            continue
        elif node.bypass is True:
            field = arriving[0]
        elif spec.form == "block":
            field = _block(spec, registry, there, arriving, f"{prefix}{node_id}", found)
        else:
            field = _behind(spec, there, arriving, fed)
        if field is not None:
            known[node_id] = found[f"{prefix}{node_id}"] = field
    return answers


def _start(node: NodeReport) -> Field | None:
    count = _places(node.outputs.get("output"))
    return Field((1,) * count, (Fraction(1),) * count) if count else None


def _places(type_: TensorType | None) -> int:
    """Spatial dimensions of ``N×C×…``."""
    return len(type_.dims) - 2 if type_ is not None and type_.batch_first and 3 <= len(type_.dims) <= 5 else 0


def _block(
    spec: LayerSpec, registry: Registry, node: NodeReport, arriving: list[Field], path: str, found: dict[str, Field]
) -> Field | None:
    """Through a use of a block, instance by instance."""
    flowing = dict(zip((p.name for p in spec.inputs), arriving, strict=False))
    in_row = blocks.repeats(node.params) is not None
    answers: dict[str, Field] = {}
    for place, inside in enumerate(node.inside):
        prefix = f"{path}.{place}." if in_row else f"{path}."
        answers = _walk(inside.network, registry, inside.report, flowing, prefix, found)
        flowing = {**flowing, **dict(zip(flowing, answers.values(), strict=False))}
    if not node.inside:
        return arriving[0]
    return next(iter(answers.values()), None)


def _behind(spec: LayerSpec, node: NodeReport, arriving: list[Field], fed: int) -> Field | None:
    result = next(iter(node.outputs.values()), None)
    count = _places(result)
    if not count or any(len(f.size) != count for f in arriving):
        return None
    if spec.kind in _JOINING or spec.kind.startswith(_PER_PIXEL) or is_elementwise(spec):
        return _largest(arriving)
    if len(arriving) != 1 or fed != 1:
        return None
    before = next(iter(node.inputs.values()))[0]
    return _through(spec, node.params, arriving[0], before, count)


def _largest(arriving: list[Field]) -> Field:
    """The maximum over branches."""
    size = tuple(max(sizes) for sizes in zip(*(f.size for f in arriving), strict=True))
    return Field(size, max((f.jump for f in arriving), default=()))


def _through(
    spec: LayerSpec, params: Mapping[str, Value], field: Field, before: TensorType, count: int
) -> Field | None:
    scale = spread(params.get("scale_factor"), count)
    if spec.kind.startswith("Upsample") and scale and params.get("mode", "nearest") == "nearest":
        return Field(field.size, tuple(j / s for j, s in zip(field.jump, scale, strict=True)))
    if spec.kind.startswith("Adaptive"):
        whole = spread(params.get("output_size"), count)
        return field if whole == [d.const for d in before.dims[2:]] else None
    moving = spec.category in ("Convolution", "Pooling") and "Unpool" not in spec.kind
    kernel = spread(params.get("kernel_size"), count)
    if spec.category == "Padding" and not moving:
        return field
    if not moving or not kernel:
        return None
    stride = spread(params.get("stride"), count) or (kernel if spec.category == "Pooling" else [1] * count)
    dilation = spread(params.get("dilation", 1), count)
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if "Transpose" in spec.kind:
        # One place sees those whose windows cover it: ceil(window / stride) of them.
        seen = [r // s for r, s in zip(reach, stride, strict=True)]
        jump = tuple(j / s for j, s in zip(field.jump, stride, strict=True))
        return Field(tuple(_grown(*all_) for all_ in zip(field.size, field.jump, seen, strict=True)), jump)
    size = tuple(_grown(*all_) for all_ in zip(field.size, field.jump, reach, strict=True))
    return Field(size, tuple(j * s for j, s in zip(field.jump, stride, strict=True)))


def _grown(size: int, jump: Fraction, steps: int) -> int:
    """A window that reaches some places further sees so many pixels."""
    return size + int(-(-steps * jump // 1))
