"""Functions that are a layer or an operation of the catalogue as they stand: names of arguments are enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepgui.graph.shapes import Dim
from deepgui.importers.context import Context
from deepgui.importers.draft import Wired
from deepgui.importers.report import Inexpressible
from deepgui.importers.values import Fixed

IGNORED = frozenset({"inplace", "training", "_stacklevel", "dtype", "out", "memory_format", "enable_gqa", "generator"})
"""Arguments that do not change what is computed, or only into an element type that is compared afterwards."""

_POOL = "input kernel_size stride padding dilation ceil_mode return_indices"
_AVERAGE = "input kernel_size stride padding ceil_mode count_include_pad divisor_override"
_REDUCE = "input dim keepdim dtype"


def _each(names: str, arguments: str, kinds: str = "") -> dict[str, tuple[str, str]]:
    """Entries for several functions that take the same arguments."""
    return {n: (k, arguments) for n, k in zip(names.split(), (kinds or names).split(), strict=True)}


TABLE: dict[str, tuple[str, str]] = {
    **_each(
        "relu relu6 silu mish hardswish hardsigmoid selu sigmoid tanh logsigmoid softsign tanhshrink",
        "input inplace",
        "ReLU ReLU6 SiLU Mish Hardswish Hardsigmoid SELU Sigmoid Tanh LogSigmoid Softsign Tanhshrink",
    ),
    "gelu": ("GELU", "input approximate"),
    "leaky_relu": ("LeakyReLU", "input negative_slope inplace"),
    "elu": ("ELU", "input alpha inplace"),
    "celu": ("CELU", "input alpha inplace"),
    "softplus": ("Softplus", "input beta threshold"),
    "softshrink": ("Softshrink", "input lambd"),
    "hardshrink": ("Hardshrink", "input lambd"),
    "hardtanh": ("Hardtanh", "input min_val max_val inplace"),
    "threshold": ("Threshold", "input threshold value inplace"),
    "glu": ("GLU", "input dim"),
    "softmin": ("Softmin", "input dim _stacklevel dtype"),
    "dropout": ("Dropout", "input p training inplace"),
    "alpha_dropout": ("AlphaDropout", "input p training inplace"),
    "feature_alpha_dropout": ("FeatureAlphaDropout", "input p training inplace"),
    **{f"dropout{d}d": (f"Dropout{d}d", "input p training inplace") for d in (1, 2, 3)},
    **{f"max_pool{d}d": (f"MaxPool{d}d", _POOL) for d in (1, 2, 3)},
    **{f"avg_pool{d}d": (f"AvgPool{d}d", _AVERAGE) for d in (1, 2, 3)},
    **{f"adaptive_avg_pool{d}d": (f"AdaptiveAvgPool{d}d", "input output_size") for d in (1, 2, 3)},
    **{f"adaptive_max_pool{d}d": (f"AdaptiveMaxPool{d}d", "input output_size return_indices") for d in (1, 2, 3)},
    **{f"lp_pool{d}d": (f"LPPool{d}d", "input norm_type kernel_size stride ceil_mode") for d in (1, 2, 3)},
    "pixel_shuffle": ("PixelShuffle", "input upscale_factor"),
    "pixel_unshuffle": ("PixelUnshuffle", "input downscale_factor"),
    "channel_shuffle": ("ChannelShuffle", "input groups"),
    "native_channel_shuffle": ("ChannelShuffle", "input groups"),
    "local_response_norm": ("LocalResponseNorm", "input size alpha beta k"),
    "fold": ("Fold", "input output_size kernel_size dilation padding stride"),
    "col2im": ("Fold", "input output_size kernel_size dilation padding stride"),
    "im2col": ("Unfold", "input kernel_size dilation padding stride"),
    "cosine_similarity": ("CosineSimilarity", "x1 x2 dim eps"),
    "pairwise_distance": ("PairwiseDistance", "x1 x2 p eps keepdim"),
    **_each(
        "abs exp exp2 log sqrt sin cos floor ceil round sign erf log1p expm1 log2 log10 isnan isfinite logical_not tan"
        " atan asin acos sinh cosh trunc frac",
        "input",
    ),
    **_each("atan2 outer fmod dot mv", "input other"),
    "prod": ("prod", _REDUCE),
    **_each("argmax argmin all any", "input dim keepdim"),
    "cumsum": ("cumsum", "input dim dtype"),
    "cumprod": ("cumprod", "input dim dtype"),
    "clamp": ("clamp", "input min max"),
    "clip": ("clamp", "input min max"),
    "gather": ("gather", "input dim index sparse_grad"),
    "index_select": ("index_select", "input dim index"),
    "scatter_add": ("scatter_add", "input dim index src"),
    "index_add": ("index_add", "input dim index source"),
    "stack": ("stack", "tensors dim"),
    "flip": ("flip", "input dims"),
    "roll": ("roll", "input shifts dims"),
    "tril": ("tril", "input diagonal"),
    "triu": ("triu", "input diagonal"),
    "repeat_interleave": ("repeat_interleave", "input repeats dim"),
    "diagonal": ("diagonal", "input offset dim1 dim2"),
    "lerp": ("lerp", "input end weight"),
    "addcmul": ("addcmul", "input tensor1 tensor2 value"),
    **_each("randn_like rand_like bernoulli", "input dtype layout device pin_memory memory_format generator"),
    "nan_to_num": ("nan_to_num", "input nan posinf neginf"),
    "one_hot": ("one_hot", "input num_classes"),
    "grid_sample": ("grid_sample", "input grid mode padding_mode align_corners"),
}  # fmt: skip
"""Function → kind and the names of its arguments in order. A name is that of a port, of a setting, or ignored."""


def bound(names: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments by name. Raises Inexpressible for what the names do not cover."""
    order = names.split()
    if len(args) > len(order):
        raise Inexpressible(f"it is called with {len(args)} arguments")
    found = dict(zip(order, args, strict=False))
    for name, value in kwargs.items():
        name = {"self": "input", "axis": "dim", "dims": "dims", "axes": "dim"}.get(name, name)
        if name not in order:
            raise Inexpressible(f"it is called with {name}")
        found[name] = value
    return found


def by_table(ctx: Context, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Place the node that the table names. Returns what the function returns, with wires for tensors."""
    kind, names = TABLE[name]
    return placed(ctx, kind, bound(names, args, kwargs))


def placed(ctx: Context, kind: str, arguments: Mapping[str, Any]) -> Any:
    """Place a node whose ports and settings have the names of the arguments."""
    spec = ctx.spec(kind)
    ports = {p.name: p for p in spec.inputs}
    ports |= {p.argument: p for p in spec.inputs if p.argument}
    inputs: dict[str, Any] = {}
    params: dict[str, Any] = {}
    for name, value in arguments.items():
        if value is None or (name in IGNORED and not (name == "dtype" and spec.has_param("dtype"))):
            continue
        if isinstance(value, Fixed) and value.number is not None and spec.has_param(name):
            value = value.number
        if name in ports and (isinstance(value, (Wired, Fixed)) or _operands(value)):
            inputs[ports[name].name] = value
        elif spec.has_param(name) and not isinstance(value, Wired):
            params[name] = plain(value)
        elif name in ports and isinstance(value, (int, float, bool)):
            inputs[name] = ctx.number(value)
        elif value not in (False, 0, 1, 1.0, 0.0, "none"):
            raise Inexpressible(f"{name} is set")
    return nested(spec.active_outputs(params), ctx.place(kind, inputs, params))


def _operands(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(v, (Wired, Fixed)) for v in value)


def plain(value: Any) -> Any:
    """A setting without fx's and torch's own kinds of sequences. Raises Inexpressible where the batch comes in."""
    if isinstance(value, Dim) or type(value).__name__ == "Varying":
        raise Inexpressible("a setting depends on the batch size")
    if isinstance(value, Fixed):
        return value.value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(plain(v) for v in value)
    return value


def nested(ports: Any, found: Mapping[str, Wired]) -> Any:
    """The outputs as the call returns them: one, or nested tuples."""
    result: dict[int, Any] = {}
    for port in ports:
        if not port.path:
            return found.get(port.name)
        place = result
        for step in port.path[:-1]:
            place = place.setdefault(step, {})
        place[port.path[-1]] = found.get(port.name)
    return result
