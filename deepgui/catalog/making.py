"""Functions that make a tensor like another, transform signals, or attend, as nodes."""

from __future__ import annotations

from deepgui.catalog.operation import (
    ATTENTION,
    COMPOSED,
    CREATION,
    SIGNAL,
    TORCH,
    Operation,
    words,
)

CREATIONS = (
    Operation("torch.ones_like", CREATION, aliases=words("ones, fill")),
    Operation("torch.zeros_like", CREATION, aliases=words("zeros, start")),
    Operation("torch.full_like", CREATION, {"fill_value": 1.0}, words("fill, constant")),
    Operation("torch.randn_like", CREATION, aliases=words("noise, normal, reparameterisation, gaussian")),
    Operation("torch.rand_like", CREATION, aliases=words("noise, uniform, random")),
    Operation("torch.bernoulli", CREATION, aliases=words("sample, coin, stochastic"), inputs=("input",)),
    Operation(
        f"{COMPOSED}.arange",
        CREATION,
        {"dim": 1},
        words("positions, count, position embedding"),
        summary="The numbers 0, 1, 2, ... along a dimension of a tensor: its positions.",
        doc="As many as that dimension is long, for a position embedding.",
        helps={"dim": "The dimension whose length counts; 0 is the batch."},
    ),
    Operation(
        f"{COMPOSED}.causal_mask",
        CREATION,
        {"dim": 1},
        words("attention mask, autoregressive, gpt, future, square subsequent mask"),
        summary="The mask that keeps a position from seeing later ones.",
        doc="A square of the length of a dimension: minus infinity above the diagonal, else 0. For the attention "
        "masks of MultiheadAttention, the Transformer layers and scaled_dot_product_attention.",
        helps={"dim": "The dimension whose length counts; 0 is the batch."},
    ),
    Operation(
        "torch.nn.functional.one_hot",
        CREATION,
        {"num_classes": 10},
        words("indicator, categorical, label"),
        dtypes={"input": ("int64",)},
        must=("num_classes",),
    ),
    Operation(
        f"{COMPOSED}.to",
        CREATION,
        {"dtype": "float32"},
        words("cast, convert, dtype, float, long"),
        types={"dtype": "choice"},
        doc_of="torch.Tensor.to",
        summary="Converts a tensor to another element type.",
    ),
    Operation(f"{COMPOSED}.detach", CREATION, aliases=words("stop gradient, freeze"), doc_of="torch.Tensor.detach"),
)

_NORMS = {"norm": ("backward", "ortho", "forward")}


def _fft(name: str, aliases: str, settings: tuple[str, ...] = ("n", "dim", "norm")) -> Operation:
    return Operation(
        f"torch.fft.{name}",
        SIGNAL,
        dict.fromkeys(settings, TORCH),
        ("fourier", "spectrum", *words(aliases)),
        choices=_NORMS if "norm" in settings else {},
    )


SIGNALS = (
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
        f"{COMPOSED}.stft",
        SIGNAL,
        {"n_fft": 256, "hop_length": TORCH, "center": TORCH},
        words("spectrogram, short-time fourier, audio"),
        doc_of="torch.stft",
        helps={"n_fft": "Length of the Hann window."},
    ),
    Operation(
        f"{COMPOSED}.istft",
        SIGNAL,
        {"n_fft": 256, "hop_length": TORCH, "center": TORCH, "length": TORCH},
        words("inverse, audio, waveform"),
        doc_of="torch.istft",
        helps={"n_fft": "Length of the Hann window."},
    ),
    Operation("torch.complex", SIGNAL, aliases=words("real and imaginary")),
    Operation("torch.polar", SIGNAL, aliases=words("magnitude and phase")),
    Operation("torch.view_as_real", SIGNAL, aliases=words("complex")),
    Operation("torch.view_as_complex", SIGNAL, aliases=words("complex, rotary")),
)

ATTENTIONS = (
    Operation(
        "torch.nn.functional.scaled_dot_product_attention",
        ATTENTION,
        {"dropout_p": TORCH, "is_causal": TORCH, "scale": TORCH},
        words("sdpa, flash attention, self attention"),
        inputs=("query", "key", "value", "attn_mask"),
    ),
)
