"""The palette's search finds what people mean, best first."""

from __future__ import annotations

import pytest

from deepgui.catalog.spec import LayerSpec, Registry
from deepgui.qt.palette.search import rank

KINDS = {
    "Convolution": [
        ("Conv1d", "1D convolution over a signal", ()),
        ("Conv2d", "2D convolution over an image", ("convolution", "cnn")),
        ("Conv3d", "3D convolution over a volume", ()),
        ("ConvTranspose2d", "Transposed 2D convolution", ("deconvolution",)),
        ("LazyConv2d", "A Conv2d that finds its channels", ()),
    ],
    "Normalization": [
        ("BatchNorm1d", "Batch normalization", ()),
        ("BatchNorm2d", "Batch normalization over images", ("bn",)),
        ("LayerNorm", "Layer normalization", ()),
        ("CrossMapLRN2d", "Local response normalization across channels", ()),
    ],
    "Activation": [
        ("ReLU", "max(0, x) elementwise", ("rectifier",)),
        ("PReLU", "ReLU with a learnt slope", ()),
        ("LeakyReLU", "ReLU with a small slope", ()),
        ("Softmax", "Probabilities that sum to one", ()),
    ],
    "Recurrent": [("LSTM", "Long short-term memory", ("memory",)), ("LSTMCell", "One step of an LSTM", ())],
    "Attention": [("MultiheadAttention", "Attention with several heads", ("mha", "self attention"))],
    "Linear": [("Linear", "y = x A^T + b", ("dense", "fully connected")), ("Bilinear", "Bilinear map", ())],
    "Pooling": [("MaxPool2d", "Largest value in a window", ("subsample",)), ("AvgPool2d", "Mean of a window", ())],
}
REGISTRY = Registry(
    LayerSpec(kind, f"torch.nn.{kind}", "module", category, summary=summary, aliases=aliases)
    for category, rows in KINDS.items()
    for kind, summary, aliases in rows
)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("c2", "Conv2d"),
        ("conv", "Conv2d"),
        ("conv1", "Conv1d"),
        ("ct2", "ConvTranspose2d"),
        ("relu", "ReLU"),
        ("lstm", "LSTM"),
        ("batchnorm", "BatchNorm2d"),
        ("batch norm", "BatchNorm2d"),
        ("bn1", "BatchNorm1d"),
        ("norm layer", "LayerNorm"),
        ("dense", "Linear"),
        ("fully", "Linear"),
        ("deconv", "ConvTranspose2d"),
        ("mha", "MultiheadAttention"),
        ("pool", "MaxPool2d"),
        ("mean", "AvgPool2d"),
        ("lienar", "Linear"),
        ("atention", "MultiheadAttention"),
        ("sofmax", "Softmax"),
        ("CONV-2D", "Conv2d"),
        ("probabilities", "Softmax"),
    ],
)
def test_best_match_comes_first(query: str, first: str) -> None:
    assert rank(query, REGISTRY)[0].kind == first


def test_nothing_matches_nonsense() -> None:
    assert rank("qqqzzz", REGISTRY) == []


def test_every_word_must_be_found() -> None:
    assert rank("relu zzzz", REGISTRY) == []


def test_empty_query_offers_everything_everyday_first() -> None:
    kinds = [spec.kind for spec in rank("  ", REGISTRY)]
    assert sorted(kinds) == sorted(REGISTRY)
    assert kinds[:3] == ["Conv2d", "Linear", "ReLU"]


def test_only_what_fits() -> None:
    found = rank("conv", REGISTRY, fits=lambda spec: spec.kind.endswith("1d"))
    assert [spec.kind for spec in found] == ["Conv1d"]


def test_search_is_fast_enough_for_each_keystroke() -> None:
    import time

    many = Registry(
        LayerSpec(f"{spec.kind}V{n}", spec.target, "module", "X", summary=spec.summary)
        for spec in REGISTRY.values()
        for n in range(20)
    )
    start = time.perf_counter()
    rank("batchnrm", many)
    assert time.perf_counter() - start < 0.5
