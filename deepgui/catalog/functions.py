"""The tensor operations: which of PyTorch's functions are nodes, and what their signatures do not say.

Arguments that are neither named here nor tensors without a default are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TORCH: Final = ...
"""Stands for: the default is PyTorch's."""


@dataclass(frozen=True)
class Operation:
    """What is said about one function.

    Attributes:
        target: qualified name; those of :mod:`deepgui.catalog.composed` are written as an expression.
        settings: arguments that are parameters of the node, with the default to offer.
        aliases: other words people search for.
        inputs: arguments that are tensors; by default those tensors that have no default.
        outputs: names of the results, if there are several.
        repeat: the parameters that say how many results there are (:attr:`PortSpec.repeat`).
        counts: parameters of ours that only say how many results there are, with their default.
        numbers: inputs for which a number can stand in.
        must: settings that have to be set although PyTorch has a default.
        choices, types, helps, dtypes: corrections by argument.
        kind: by default the function's name.
        doc, doc_of: the help, or the function that has it, if this one has none.
    """

    target: str
    category: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    repeat: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: Mapping[str, Any] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)
    dtypes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    symbol: str = ""
    kind: str = ""
    summary: str = ""
    doc: str = ""
    doc_of: str = ""


MATH = "Math"
REDUCTION = "Reduction"
SHAPE = "Shape"
SELECTION = "Selection"
COMPARISON = "Comparison"
CREATION = "Creation"
SIGNAL = "Signal"
ATTENTION = "Attention"
EMBEDDING = "Embedding"

_HERE = "deepgui.catalog.composed"
_TWO = ("input", "other")
_BOTH: dict[str, Any] = {"inputs": _TWO, "numbers": _TWO}
_OTHER: dict[str, Any] = {"inputs": _TWO, "numbers": ("other",)}
_INTEGERS = ("int64", "int32")
_DIM_HELP = "The dimension; 0 is the batch."
_DIMS_HELP = "The dimension or dimensions to reduce; 0 is the batch."
_AT = {"dim": _DIM_HELP}


def _plain(category: str, **words: str) -> tuple[Operation, ...]:
    """Functions of one tensor without settings, each with its aliases."""
    return tuple(Operation(f"torch.{name}", category, aliases=_words(said)) for name, said in words.items())


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _reduce(name: str, aliases: str, *, target: str = "", **more: Any) -> Operation:
    settings = {"dim": -1, **more.pop("settings", {}), "keepdim": TORCH}
    helps = {"dim": _DIMS_HELP, "keepdim": "Whether the reduced dimensions stay, with size 1."}
    return Operation(
        target or f"torch.{name}",
        REDUCTION,
        settings,
        _words(aliases),
        must=("dim",),
        kind=name,
        helps=helps,
        **more,
    )


def _compare(name: str, symbol: str, words: str, aliases: str) -> Operation:
    summary = f"Where input {words} other, element by element."
    return Operation(f"torch.{name}", COMPARISON, symbol=symbol, aliases=_words(aliases), summary=summary, **_OTHER)


_ARITHMETIC = (
    Operation("torch.add", MATH, symbol="+", aliases=_words("plus, residual, skip, sum"), **_BOTH),
    Operation("torch.sub", MATH, symbol="-", aliases=_words("minus, subtract, one minus"), **_BOTH),
    Operation("torch.mul", MATH, symbol="*", aliases=_words("times, multiply, gate, scale"), **_BOTH),
    Operation("torch.div", MATH, symbol="/", aliases=_words("divide, scale"), **_BOTH),
    Operation("torch.floor_divide", MATH, symbol="//", aliases=_words("whole division"), **_BOTH),
    Operation("torch.remainder", MATH, symbol="%", aliases=_words("modulo"), **_OTHER),
    Operation(
        "torch.pow",
        MATH,
        {"exponent": 2.0},
        _words("power, square"),
        inputs=("input", "exponent"),
        numbers=("exponent",),
        must=("exponent",),
        types={"exponent": "float"},
        helps={"exponent": "The power; none to wire it."},
    ),
    Operation("torch.matmul", MATH, symbol="@", aliases=_words("matrix product, dot")),
    Operation("torch.bmm", MATH, aliases=_words("batch matrix product")),
    Operation(
        f"{_HERE}.einsum",
        MATH,
        {"equation": "bij,bjk->bik"},
        _words("einstein, contraction, product"),
        doc_of="torch.einsum",
        helps={"equation": "A letter for each dimension of each input, and those of the result behind the arrow."},
    ),
    Operation("torch.outer", MATH, aliases=_words("outer product")),
    Operation("torch.cross", MATH, {"dim": -1}, _words("cross product"), helps=_AT),
    Operation("torch.cdist", MATH, {"p": TORCH}, _words("distance matrix, pairwise"), inputs=("x1", "x2")),
    Operation("torch.lerp", MATH, {"weight": 0.5}, _words("interpolate, mix, blend"), inputs=("input", "end")),
    Operation("torch.maximum", MATH, aliases=_words("larger, elementwise max")),
    Operation("torch.minimum", MATH, aliases=_words("smaller, elementwise min")),
    Operation(
        "torch.atan2",
        MATH,
        aliases=_words("angle, arctangent"),
        summary="The angle of the point (other, input), element by element, in radians.",
    ),
    Operation(
        "torch.clamp",
        MATH,
        {"min": None, "max": None},
        _words("clip, limit"),
        helps={"min": "Smallest value; none if left out.", "max": "Largest value; none if left out."},
    ),
    Operation("torch.nan_to_num", MATH, {"nan": TORCH, "posinf": TORCH, "neginf": TORCH}, _words("replace nan")),
    Operation(
        "torch.nn.functional.normalize",
        MATH,
        {"p": TORCH, "dim": TORCH, "eps": TORCH},
        _words("unit length, l2"),
        inputs=("input",),
        helps=_AT,
    ),
    Operation("torch.softmax", MATH, {"dim": -1}, _words("probabilities"), helps=_AT),
    Operation(
        "torch.log_softmax",
        MATH,
        {"dim": -1},
        _words("log probabilities"),
        doc_of="torch.nn.functional.log_softmax",
        helps=_AT,
    ),
)

_ELEMENTWISE = _plain(
    MATH,
    neg="negative, minus",
    abs="absolute, magnitude",
    exp="exponential",
    exp2="two to the power",
    expm1="exponential",
    log="logarithm",
    log1p="logarithm",
    log2="logarithm",
    log10="logarithm, decibel",
    sqrt="square root",
    rsqrt="inverse square root",
    square="power",
    reciprocal="inverse, one over",
    sin="sine, position encoding",
    cos="cosine, position encoding",
    tan="tangent",
    asin="arc sine",
    acos="arc cosine",
    atan="arc tangent",
    sinh="hyperbolic sine",
    cosh="hyperbolic cosine",
    erf="error function",
    floor="round down",
    ceil="round up",
    round="nearest",
    trunc="cut off",
    frac="fraction",
    sign="signum",
    angle="phase",
    real="complex",
    imag="complex, imaginary",
    conj="conjugate",
)

_REDUCTIONS = (
    _reduce("mean", "average, global pooling"),
    _reduce("sum", "total"),
    _reduce("prod", "product"),
    _reduce("amax", "maximum"),
    _reduce("amin", "minimum"),
    _reduce("max", "maximum, values and indices", outputs=("values", "indices")),
    _reduce("min", "minimum, values and indices", outputs=("values", "indices")),
    _reduce("median", "middle", outputs=("values", "indices")),
    _reduce("argmax", "index of the largest, prediction"),
    _reduce("argmin", "index of the smallest, nearest"),
    _reduce("logsumexp", "soft maximum"),
    _reduce("var", "variance", settings={"correction": 1}),
    _reduce("std", "standard deviation", settings={"correction": 1}),
    _reduce("norm", "length, vector norm, l2", target="torch.linalg.vector_norm", settings={"ord": TORCH}),
    _reduce("any", "or"),
    _reduce("all", "and"),
    Operation("torch.cumsum", REDUCTION, {"dim": 1}, _words("running total"), helps=_AT),
    Operation("torch.cumprod", REDUCTION, {"dim": 1}, _words("running product"), helps=_AT),
)

_CHUNK_HELP = {"dim": _DIM_HELP, "split_size_or_sections": "The size of each part, e.g. 4, 4, 8; or one size for all."}

_SHAPES = (
    Operation("torch.cat", SHAPE, {"dim": 1}, _words("concatenate, join"), helps=_AT),
    Operation("torch.stack", SHAPE, {"dim": 1}, _words("join"), helps=_AT),
    Operation("torch.chunk", SHAPE, {"chunks": 2, "dim": 1}, _words("parts, halves"), repeat=("chunks",), helps=_AT),
    Operation(
        "torch.split",
        SHAPE,
        {"split_size_or_sections": (1, 1), "dim": 1},
        _words("parts, sections"),
        inputs=("tensor",),
        repeat=("split_size_or_sections", "outputs"),
        counts={"outputs": 2},
        types={"split_size_or_sections": "ints"},
        helps=_CHUNK_HELP,
    ),
    Operation(
        "torch.unbind",
        SHAPE,
        {"dim": 1},
        _words("take apart, unstack"),
        repeat=("outputs",),
        counts={"outputs": 2},
        helps=_AT,
    ),
    Operation(
        "torch.reshape",
        SHAPE,
        {"shape": None},
        _words("view"),
        helps={"shape": "The new shape, batch first; one size may be -1."},
    ),
    Operation(
        f"{_HERE}.view",
        SHAPE,
        {"shape": None},
        _words("reshape"),
        doc_of="torch.Tensor.view",
        helps={"shape": "The new shape, batch first; one size may be -1."},
    ),
    Operation(f"{_HERE}.reshape_as", SHAPE, aliases=_words("view, same shape"), doc_of="torch.Tensor.reshape_as"),
    Operation("torch.flatten", SHAPE, {"start_dim": 1, "end_dim": TORCH}, _words("vectorise, reshape")),
    Operation("torch.unflatten", SHAPE, {"dim": 1, "sizes": None}, _words("reshape, view"), helps=_AT),
    Operation(
        "torch.permute",
        SHAPE,
        {"dims": None},
        _words("reorder, transpose"),
        helps={"dims": "The dimensions in their new order; 0 is the batch."},
    ),
    Operation(
        "torch.transpose",
        SHAPE,
        {"dim0": 1, "dim1": 2},
        _words("swap"),
        helps={"dim0": "The first dimension to swap.", "dim1": "The second dimension to swap."},
    ),
    Operation("torch.movedim", SHAPE, {"source": 1, "destination": -1}, _words("reorder, move axis")),
    Operation("torch.squeeze", SHAPE, {"dim": 1}, _words("remove dimension"), helps=_AT),
    Operation("torch.unsqueeze", SHAPE, {"dim": 1}, _words("add dimension"), helps=_AT),
    Operation(
        f"{_HERE}.expand",
        SHAPE,
        {"size": None},
        _words("broadcast, repeat"),
        doc_of="torch.Tensor.expand",
        helps={"size": "The new shape; -1 leaves a dimension as it is."},
    ),
    Operation(f"{_HERE}.expand_as", SHAPE, aliases=_words("broadcast"), doc_of="torch.Tensor.expand_as"),
    Operation(
        f"{_HERE}.expand_batch",
        SHAPE,
        aliases=_words("class token, query, broadcast, batch"),
        doc="Repeats a tensor whose dimension 0 has size 1 for every example of the batch of another.",
        helps={"like": "The tensor whose batch size is taken."},
    ),
    Operation(f"{_HERE}.repeat", SHAPE, {"repeats": None}, _words("copy, tile"), doc_of="torch.Tensor.repeat"),
    Operation(f"{_HERE}.tile", SHAPE, {"dims": None}, _words("repeat, copy"), doc_of="torch.tile"),
    Operation(
        "torch.repeat_interleave",
        SHAPE,
        {"repeats": 2, "dim": 1},
        _words("repeat elements, upsample"),
        inputs=("input",),
        must=("dim",),
        types={"repeats": "int"},
        helps=_AT,
    ),
    Operation("torch.roll", SHAPE, {"shifts": 1, "dims": -1}, _words("shift, rotate, window"), must=("dims",)),
    Operation(f"{_HERE}.flip", SHAPE, {"dims": -1}, _words("reverse, mirror"), doc_of="torch.flip"),
    Operation("torch.rot90", SHAPE, {"k": TORCH, "dims": (2, 3)}, _words("rotate, quarter turn"), must=("dims",)),
    Operation(
        f"{_HERE}.unfold",
        SHAPE,
        {"dimension": 1, "size": 4, "step": 4},
        _words("windows, frames, patches"),
        doc_of="torch.Tensor.unfold",
    ),
    Operation("torch.diag_embed", SHAPE, aliases=_words("diagonal matrix")),
    Operation("torch.diagonal", SHAPE, {"offset": TORCH, "dim1": -2, "dim2": -1}, _words("trace")),
    Operation(
        "torch.nn.functional.pad",
        SHAPE,
        {"pad": (1, 1), "mode": TORCH, "value": TORCH},
        _words("border, shift"),
        choices={"mode": ("constant", "reflect", "replicate", "circular")},
        helps={"pad": "How much before and after, the last dimension first."},
    ),
    Operation(
        "torch.nn.functional.interpolate",
        SHAPE,
        {"size": None, "scale_factor": 2.0, "mode": TORCH, "align_corners": TORCH, "antialias": TORCH},
        _words("resize, upsample, downsample"),
        choices={"mode": ("nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact")},
        types={"size": "ints", "scale_factor": "floats"},
        helps={"size": "The new spatial size; none to use scale_factor."},
    ),
    Operation(
        "torch.nn.functional.grid_sample",
        SHAPE,
        {"mode": TORCH, "padding_mode": TORCH, "align_corners": False},
        _words("warp, spatial transformer"),
        choices={"mode": ("bilinear", "nearest", "bicubic"), "padding_mode": ("zeros", "border", "reflection")},
    ),
    Operation(
        f"{_HERE}.affine_grid",
        SHAPE,
        {"align_corners": False},
        _words("spatial transformer, rotate, warp"),
        doc_of="torch.nn.functional.affine_grid",
        helps={"theta": "N×2×3 matrices.", "input": "The pictures that will be sampled; their size is taken."},
    ),
    Operation(f"{_HERE}.contiguous", SHAPE, aliases=_words("memory layout"), doc_of="torch.Tensor.contiguous"),
)

_SELECTIONS = (
    Operation(
        f"{_HERE}.slice",
        SELECTION,
        {"index": ":, 0"},
        _words("index, crop, getitem, take, brackets"),
        types={"index": "index"},
        summary="Takes a part of a tensor, as x[:, 0] does.",
        doc="The index is what stands between the brackets: whole numbers, slices such as ``1:`` or ``:-1``, "
        "``...`` for all dimensions between, and ``None`` for a new one. The first place is the batch.",
        helps={"index": "Such as “:, 0” (the first of every example) or “..., :-1” (all but the last)."},
    ),
    Operation("torch.select", SELECTION, {"dim": 1, "index": 0}, _words("index, pick"), helps=_AT),
    Operation("torch.narrow", SELECTION, {"dim": 1, "start": 0, "length": 1}, _words("crop, slice"), helps=_AT),
    Operation(
        f"{_HERE}.gather",
        SELECTION,
        {"dim": 1},
        _words("look up, pick"),
        doc_of="torch.gather",
        dtypes={"index": _INTEGERS},
        helps=_AT,
    ),
    Operation(
        f"{_HERE}.index_select",
        SELECTION,
        {"dim": 1},
        _words("look up, rows"),
        doc_of="torch.index_select",
        dtypes={"index": _INTEGERS},
        helps=_AT,
    ),
    Operation(
        f"{_HERE}.index",
        SELECTION,
        aliases=_words("look up, rows, codebook"),
        summary="Takes the rows of a tensor that another names, as input[indices] does.",
        doc="Whole numbers pick along dimension 0; the result has the shape of the indices in its place.",
        dtypes={"indices": _INTEGERS},
    ),
    Operation(
        "torch.take_along_dim",
        SELECTION,
        {"dim": 1},
        _words("look up, gather"),
        must=("dim",),
        dtypes={"indices": ("int64",)},
        helps=_AT,
    ),
    Operation(
        f"{_HERE}.index_add",
        SELECTION,
        {"dim": 0},
        _words("scatter, message passing"),
        doc_of="torch.Tensor.index_add_",
        dtypes={"index": _INTEGERS},
        helps=_AT,
    ),
    Operation(
        f"{_HERE}.scatter_add",
        SELECTION,
        {"dim": 1},
        _words("message passing, sum by index"),
        doc_of="torch.Tensor.scatter_add_",
        dtypes={"index": ("int64",)},
        helps=_AT,
    ),
    Operation(
        "torch.where",
        SELECTION,
        aliases=_words("if, choose, mask"),
        inputs=("condition", "input", "other"),
        numbers=("other",),
        dtypes={"condition": ("bool",)},
    ),
    Operation(
        "torch.masked_fill",
        SELECTION,
        {"value": 0.0},
        _words("mask, minus infinity"),
        inputs=("input", "mask"),
        dtypes={"mask": ("bool",)},
        doc_of="torch.Tensor.masked_fill_",
        helps={"value": "What stands where the mask is true."},
    ),
    Operation("torch.tril", SELECTION, {"diagonal": TORCH}, _words("lower triangle, causal, mask")),
    Operation("torch.triu", SELECTION, {"diagonal": TORCH}, _words("upper triangle, causal, mask")),
    Operation(
        "torch.topk",
        SELECTION,
        {"k": 1, "dim": TORCH, "largest": TORCH},
        _words("largest, best, mixture of experts"),
        outputs=("values", "indices"),
        helps=_AT,
    ),
    Operation(
        "torch.sort",
        SELECTION,
        {"dim": TORCH, "descending": TORCH},
        _words("order, rank"),
        outputs=("values", "indices"),
        helps=_AT,
    ),
    Operation("torch.argsort", SELECTION, {"dim": TORCH, "descending": TORCH}, _words("order, rank"), helps=_AT),
)

_COMPARISONS = (
    _compare("eq", "==", "equals", "equal, padding mask"),
    _compare("ne", "!=", "differs from", "not equal"),
    _compare("gt", ">", "is greater than", "threshold"),
    _compare("ge", ">=", "is greater than or equal to", "threshold"),
    _compare("lt", "<", "is less than", "threshold"),
    _compare("le", "<=", "is less than or equal to", "threshold"),
    Operation("torch.logical_and", COMPARISON, aliases=_words("both, mask")),
    Operation("torch.logical_or", COMPARISON, aliases=_words("either, mask")),
    Operation("torch.logical_not", COMPARISON, aliases=_words("invert, mask")),
    Operation("torch.isnan", COMPARISON, aliases=_words("not a number")),
    Operation("torch.isfinite", COMPARISON, aliases=_words("infinite, nan")),
)

_CREATIONS = (
    Operation("torch.ones_like", CREATION, aliases=_words("ones, fill")),
    Operation("torch.zeros_like", CREATION, aliases=_words("zeros, start")),
    Operation("torch.full_like", CREATION, {"fill_value": 1.0}, _words("fill, constant")),
    Operation("torch.randn_like", CREATION, aliases=_words("noise, normal, reparameterisation, gaussian")),
    Operation("torch.rand_like", CREATION, aliases=_words("noise, uniform, random")),
    Operation("torch.bernoulli", CREATION, aliases=_words("sample, coin, stochastic"), inputs=("input",)),
    Operation(
        f"{_HERE}.arange",
        CREATION,
        {"dim": 1},
        _words("positions, count, position embedding"),
        summary="The numbers 0, 1, 2, ... along a dimension of a tensor: its positions.",
        doc="As many as that dimension is long, for a position embedding.",
        helps={"dim": "The dimension whose length counts; 0 is the batch."},
    ),
    Operation(
        f"{_HERE}.causal_mask",
        CREATION,
        {"dim": 1},
        _words("attention mask, autoregressive, gpt, future, square subsequent mask"),
        summary="The mask that keeps a position from seeing later ones.",
        doc="A square of the length of a dimension: minus infinity above the diagonal, else 0. For the attention "
        "masks of MultiheadAttention, the Transformer layers and scaled_dot_product_attention.",
        helps={"dim": "The dimension whose length counts; 0 is the batch."},
    ),
    Operation(
        "torch.nn.functional.one_hot",
        CREATION,
        {"num_classes": 10},
        _words("indicator, categorical, label"),
        dtypes={"input": ("int64",)},
        must=("num_classes",),
    ),
    Operation(
        f"{_HERE}.to",
        CREATION,
        {"dtype": "float32"},
        _words("cast, convert, dtype, float, long"),
        types={"dtype": "choice"},
        doc_of="torch.Tensor.to",
        summary="Converts a tensor to another element type.",
    ),
    Operation(f"{_HERE}.detach", CREATION, aliases=_words("stop gradient, freeze"), doc_of="torch.Tensor.detach"),
)

_NORMS = {"norm": ("backward", "ortho", "forward")}


def _fft(name: str, aliases: str, settings: tuple[str, ...] = ("n", "dim", "norm")) -> Operation:
    return Operation(
        f"torch.fft.{name}",
        SIGNAL,
        dict.fromkeys(settings, TORCH),
        ("fourier", "spectrum", *_words(aliases)),
        choices=_NORMS if "norm" in settings else {},
    )


_SIGNALS = (
    _fft("fft", "frequency"),
    _fft("ifft", "inverse"),
    _fft("rfft", "frequency, real"),
    _fft("irfft", "inverse, real"),
    _fft("fft2", "picture", ("s", "dim", "norm")),
    _fft("ifft2", "picture, inverse", ("s", "dim", "norm")),
    _fft("rfft2", "picture, neural operator", ("s", "dim", "norm")),
    _fft("irfft2", "picture, inverse, neural operator", ("s", "dim", "norm")),
    _fft("fftshift", "centre", ("dim",)),
    Operation(
        f"{_HERE}.stft",
        SIGNAL,
        {"n_fft": 256, "hop_length": TORCH, "center": TORCH},
        _words("spectrogram, short-time fourier, audio"),
        doc_of="torch.stft",
        helps={"n_fft": "Length of the Hann window."},
    ),
    Operation(
        f"{_HERE}.istft",
        SIGNAL,
        {"n_fft": 256, "hop_length": TORCH, "center": TORCH, "length": TORCH},
        _words("inverse, audio, waveform"),
        doc_of="torch.istft",
        helps={"n_fft": "Length of the Hann window."},
    ),
    Operation("torch.complex", SIGNAL, aliases=_words("real and imaginary")),
    Operation("torch.polar", SIGNAL, aliases=_words("magnitude and phase")),
    Operation("torch.view_as_real", SIGNAL, aliases=_words("complex")),
    Operation("torch.view_as_complex", SIGNAL, aliases=_words("complex, rotary")),
)

_ATTENTION = (
    Operation(
        "torch.nn.functional.scaled_dot_product_attention",
        ATTENTION,
        {"dropout_p": TORCH, "is_causal": TORCH, "scale": TORCH},
        _words("sdpa, flash attention, self attention"),
        inputs=("query", "key", "value", "attn_mask"),
    ),
)

FUNCTIONS: tuple[Operation, ...] = (
    *_ARITHMETIC,
    *_ELEMENTWISE,
    *_REDUCTIONS,
    *_SHAPES,
    *_SELECTIONS,
    *_COMPARISONS,
    *_CREATIONS,
    *_SIGNALS,
    *_ATTENTION,
)
"""All operations, in the order of the palette."""
