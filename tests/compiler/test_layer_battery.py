"""Every kind in the catalogue goes through shapes, build, source, torch.export, file and a training step."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch

from deepgui.catalog.builtin import registry
from deepgui.catalog.graph_layers import CATEGORY as GRAPH
from deepgui.catalog.graph_layers import CHOOSING
from deepgui.catalog.spec import LayerSpec
from deepgui.compiler.build import build
from deepgui.compiler.report import check
from deepgui.compiler.source import to_python
from deepgui.graph import edits
from deepgui.graph.values import Network, Node, Wire
from deepgui.project import file as project_file
from deepgui.project.values import Project

BATCH = 4
SHAPE_OF = {"N C L": (8, 12), "N C H W": (8, 12, 12), "N C D H W": (8, 6, 6, 6), "N C": (8,), "N L": (6, 8)}
LABELS = ((), "int64")

# Constructor arguments and input shapes (without the batch) where the layouts and starters do not give them.
PARAMS: dict[str, dict[str, Any]] = {
    "AdaptiveLogSoftmaxWithLoss": {"n_classes": 20, "cutoffs": (5, 10)},
    "FractionalMaxPool2d": {"output_size": 5},
    "FractionalMaxPool3d": {"output_size": 3},
    "Fold": {"output_size": (4, 5), "kernel_size": (2, 2)},
    "LPPool1d": {"norm_type": 2.0},
    "Unflatten": {"dim": 1, "unflattened_size": (2, 4)},
    "Upsample": {"scale_factor": 2.0},
    "UpsamplingNearest2d": {"scale_factor": 2.0},
    "UpsamplingBilinear2d": {"scale_factor": 2.0},
    "LinearCrossEntropyLoss": {"num_classes": 5},
    "Transformer": {"d_model": 16, "nhead": 4, "num_encoder_layers": 1, "num_decoder_layers": 1, "dim_feedforward": 16},
    "TransformerEncoderLayer": {"nhead": 4, "dim_feedforward": 16},
    "TransformerDecoderLayer": {"nhead": 4, "dim_feedforward": 16},
    "CTCLoss": {},
    "TransformerEncoder": {"nhead": 4, "dim_feedforward": 16},
    "TransformerDecoder": {"nhead": 4, "dim_feedforward": 16},
    "reshape": {"shape": (-1, 4, 2)},
    "view": {"shape": (-1, 4, 2)},
    "unflatten": {"sizes": (2, 4)},
    "expand": {"size": (-1, 5, 8)},
    "repeat": {"repeats": (1, 3)},
    "tile": {"dims": (1, 3)},
    "split": {"split_size_or_sections": (5, 3)},
    "unbind": {"outputs": 6},
    "rot90": {"dims": (1, 2)},
    "unfold": {"size": 3, "step": 2},
    "stft": {"n_fft": 16},
    "istft": {"n_fft": 16},
    "one_hot": {"num_classes": 3},
    "narrow": {"start": 2, "length": 3},
    "permute": {"dims": (0, 2, 1)},
    "PReLU": {},
    "clamp": {"min": -0.5, "max": 0.5},
}
INPUTS: dict[str, list[Any]] = {
    "AdaptiveLogSoftmaxWithLoss": [(8,), LABELS],
    "Bilinear": [(8,), (6,)],
    "ChannelShuffle": [(8, 6, 6)],
    "CosineEmbeddingLoss": [(8,), (8,), ()],
    "CosineSimilarity": [(8,), (8,)],
    "CrossEntropyLoss": [(8,), LABELS],
    "CrossMapLRN2d": [(8, 6, 6)],
    "Embedding": [((6,), "int64")],
    "EmbeddingBag": [((6,), "int64")],
    "Fold": [(12, 12)],
    "GLU": [(8,)],
    "GaussianNLLLoss": [(8,), (8,), (8,)],
    "LinearCrossEntropyLoss": [(8,), LABELS],
    "LocalResponseNorm": [(8, 6, 6)],
    "MarginRankingLoss": [(8,), (8,), (8,)],
    "MaxUnpool1d": [(8, 6), ((8, 6), "int64")],
    "MaxUnpool2d": [(8, 6, 6), ((8, 6, 6), "int64")],
    "MaxUnpool3d": [(8, 3, 3, 3), ((8, 3, 3, 3), "int64")],
    "MultiLabelMarginLoss": [(8,), ((8,), "int64")],
    "MultiMarginLoss": [(8,), LABELS],
    "MultiheadAttention": [(6, 16)],
    "NLLLoss": [(8,), LABELS],
    "PixelShuffle": [(8, 6, 6)],
    "GRUCell": [(8,)],
    "GroupNorm": [(8, 6)],
    "LSTMCell": [(8,)],
    "RNNCell": [(8,)],
    "Transformer": [(6, 16), (5, 16)],
    "TransformerEncoderLayer": [(6, 16)],
    "TransformerDecoderLayer": [(6, 16), (5, 16)],
    "TripletMarginLoss": [(8,), (8,), (8,)],
    "TripletMarginWithDistanceLoss": [(8,), (8,), (8,)],
    "TransformerEncoder": [(6, 16)],
    "TransformerDecoder": [(6, 16), (5, 16)],
    "matmul": [(4, 6), (6, 5)],
    "bmm": [(4, 6), (6, 5)],
    "einsum": [(4, 6), (6, 5)],
    "outer": [(), ()],
    "cross": [(3,), (3,)],
    "cdist": [(5, 8), (4, 8)],
    "expand": [(1, 8)],
    "expand_batch": [(8,), (8,)],
    "movedim": [(6, 8)],
    "rot90": [(6, 8)],
    "unbind": [(6, 8)],
    "diagonal": [(6, 8)],
    "pad": [(6, 8)],
    "interpolate": [(3, 8, 8)],
    "grid_sample": [(3, 8, 8), (5, 5, 2)],
    "affine_grid": [(2, 3), (3, 8, 8)],
    "gather": [(6, 8), ((4, 8), "int64")],
    "index_select": [(6, 8), ((), "int64")],
    "index": [(6, 8), ((5,), "int64")],
    "take_along_dim": [(6, 8), ((4, 8), "int64")],
    "index_add": [(8,), LABELS, (8,)],
    "scatter_add": [(8,), ((5,), "int64"), (5,)],
    "where": [((8,), "bool"), (8,), (8,)],
    "masked_fill": [(8,), ((8,), "bool")],
    "tril": [(6, 6)],
    "triu": [(6, 6)],
    "select": [(6, 8)],
    "logical_and": [((8,), "bool"), ((8,), "bool")],
    "logical_or": [((8,), "bool"), ((8,), "bool")],
    "logical_not": [((8,), "bool")],
    "one_hot": [((6,), "int64")],
    "fft2": [(6, 8)],
    "ifft2": [(6, 8)],
    "rfft2": [(6, 8)],
    "irfft2": [((6, 5), "complex64")],
    "irfft": [((5,), "complex64")],
    "real": [((8,), "complex64")],
    "imag": [((8,), "complex64")],
    "istft": [((9, 12), "complex64")],
    "stft": [(64,)],
    "view_as_real": [((8,), "complex64")],
    "view_as_complex": [(8, 2)],
    "scaled_dot_product_attention": [(4, 6, 8), (4, 5, 8), (4, 5, 8)],
    "unfold": [(9, 4)],
    "permute": [(6, 8)],
    "transpose": [(6, 8)],
    "squeeze": [(1, 8)],
    "Softmax2d": [(8, 6, 6)],
    "Unfold": [(8, 6, 6)],
    "Upsample": [(8, 6, 6)],
}
APART = {
    "CTCLoss": "needs lengths; tried in test_ctc_loss",
    "SyncBatchNorm": "computes on GPUs only",
}
POSITIVE = {"log", "log2", "log10", "log1p", "sqrt", "rsqrt", "bernoulli", "BCELoss", "GaussianNLLLoss"}
NOT_EXPORTABLE = {
    "GaussianNLLLoss": "checks its variances as it runs",
    "AdaptiveLogSoftmaxWithLoss": "its control flow depends on the targets",
}
_COMPLEX = "onnxruntime has no complex numbers at the ends of a network"
NOT_IN_ONNX = {
    **dict.fromkeys(("randn_like", "rand_like", "bernoulli"), "random: another generator gives other numbers"),
    **dict.fromkeys(("FractionalMaxPool2d", "FractionalMaxPool3d", "RReLU"), "no conversion in torch.onnx"),
    **dict.fromkeys(CHOOSING, "no conversion of a stable sort"),
    **dict.fromkeys(("CrossMapLRN2d", "cdist", "median", "cumprod"), "no conversion in torch.onnx"),
    **dict.fromkeys(("real", "imag", "irfft", "irfft2", "istft", "view_as_real"), _COMPLEX),
    **dict.fromkeys(("fft", "ifft", "rfft", "fft2", "ifft2", "rfft2", "stft"), _COMPLEX),
    **dict.fromkeys(("complex", "polar", "view_as_complex"), _COMPLEX),
}
KINDS = [k for k, s in registry().items() if s.form in ("module", "function") and k not in APART]


# Two graphs: 0-1-2 and 3. How their parts are drawn as Inputs, and what these are given.
GRAPH_INPUTS: dict[str, dict[str, Any]] = {
    "x": {"shape": (8,)},
    "edge_index": {"shape": (2,), "dtype": "int64", "per": "edge_index"},
    "edge_weight": {"shape": (), "per": "edge"},
    "edge_attr": {"shape": (3,), "per": "edge"},
    "batch": {"shape": (), "dtype": "int64"},
}
EDGES, GRAPH_OF = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]]), torch.tensor([0, 0, 0, 1])
FREE = {"N": BATCH, "E": EDGES.shape[1], "G": 2, "N1": 3}


def _inputs(spec: LayerSpec, params: dict[str, Any]) -> list[tuple[tuple[int, ...], str]]:
    given = INPUTS.get(spec.kind)
    if given is None:
        layouts = spec.inputs[0].layouts
        first = SHAPE_OF.get(layouts[0], (6, 8)) if layouts else (6, 8) if spec.category == "Recurrent" else (8,)
        count = sum(not p.optional and not p.fallback for p in spec.active_inputs(params))
        given = [first] * count * (2 if spec.inputs[0].variadic else 1)
    return [(i[0], i[1]) if len(i) == 2 and isinstance(i[1], str) else (i, "float32") for i in given]


def _network(kind: str) -> Network:
    spec = registry()[kind]
    params = {**spec.starters(), **PARAMS.get(kind, {})}
    network = Network(f"try_{kind}")
    if spec.category == GRAPH:
        return _graph_network(network, spec, params)
    sources = []
    for shape, dtype in _inputs(spec, params):
        network, node = edits.add_node(network, "Input", {"shape": shape or (1,), "dtype": dtype})
        source = node.id
        if not shape:
            network, flat = edits.add_node(network, "squeeze", {"dim": 1})
            network, source = edits.connect(network, Wire(node.id, "output", flat.id, "input")), flat.id
        sources.append(source)
    network, layer = edits.add_node(network, kind, params)
    ports = [p.name for p in spec.active_inputs(params) if not p.optional and not p.fallback]
    ports = ports * len(sources) if spec.inputs[0].variadic else ports
    for source, port in zip(sources, ports, strict=True):
        network = edits.append_wire(network, source, "output", layer.id, port)
    return _with_outputs(network, layer, spec, params)


def _graph_network(network: Network, spec: LayerSpec, params: dict[str, Any]) -> Network:
    sources = {}
    for port in spec.inputs:
        if port.name in GRAPH_INPUTS:
            network, node = edits.add_node(network, "Input", GRAPH_INPUTS[port.name])
            sources[port.name] = node.id
    network, layer = edits.add_node(network, spec.kind, params)
    for name, source in sources.items():
        network = edits.connect(network, Wire(source, "output", layer.id, name))
    return _with_outputs(network, layer, spec, params)


def _with_outputs(network: Network, layer: Node, spec: LayerSpec, params: dict[str, Any]) -> Network:
    for port in spec.active_outputs(params):
        network, out = edits.add_node(network, "Output")
        network = edits.connect(network, Wire(layer.id, port.name, out.id, "input"))
    return network


def _examples(kind: str, network: Network) -> list[torch.Tensor]:
    torch.manual_seed(1)
    examples = []
    for node in network.of_kind("Input"):
        shape = (BATCH, *node.params["shape"])
        if node.params.get("per") == "edge":
            examples.append(torch.rand(EDGES.shape[1], *shape[1:]))
        elif node.params.get("per") == "edge_index" or shape == (BATCH,):
            examples.append(EDGES if node.params.get("per") else GRAPH_OF)
        elif node.params.get("dtype") == "int64":
            examples.append(torch.arange(torch.Size(shape).numel()).reshape(shape) % 3)
        elif node.params.get("dtype") in ("bool", "complex64"):
            examples.append(torch.randn(shape, dtype=torch.complex64).to(getattr(torch, node.params["dtype"])))
        else:
            values = torch.rand(shape) * 0.9 + 0.05
            examples.append(values if kind in POSITIVE else values * 2 - 1)
    return examples


def _flat(result: Any) -> list[torch.Tensor]:
    return list(result) if isinstance(result, tuple) else [result]


@pytest.fixture(params=KINDS, scope="module")
def case(request: pytest.FixtureRequest) -> tuple[str, Network]:
    return request.param, _network(request.param)


def test_shapes_are_those_of_the_real_layer(case: tuple[str, Network]) -> None:
    kind, network = case
    report = check(network, registry())
    assert report.ok, report.errors
    results = _flat(build(network, registry(), report)(*_examples(kind, network)))
    types = [report.nodes[o.id].inputs["input"][0] for o in network.of_kind("Output")]
    sizes = {**FREE, "E1": results[1].shape[1]} if kind in CHOOSING else FREE
    assert [tuple(d.given(sizes) for d in t.dims) for t in types] == [tuple(r.shape) for r in results]
    assert [t.dtype for t in types] == [str(r.dtype).removeprefix("torch.") for r in results]


def test_source_computes_the_same(case: tuple[str, Network]) -> None:
    kind, network = case
    module = build(network, registry()).eval()
    namespace: dict[str, Any] = {}
    exec(to_python(network, registry()), namespace)
    twin = next(v for v in namespace.values() if isinstance(v, type) and v.__module__ == "builtins")().eval()
    twin.load_state_dict(module.state_dict())
    examples = _examples(kind, network)
    for ours, theirs in zip(_flat(_seeded(module, examples)), _flat(_seeded(twin, examples)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0, equal_nan=True)


def _seeded(module: torch.nn.Module, examples: list[torch.Tensor]) -> Any:
    torch.manual_seed(2)
    return module(*examples)


def test_file_gives_the_same_network_back(case: tuple[str, Network], tmp_path: Path) -> None:
    _, network = case
    project = Project("battery", {"network": network})
    path = tmp_path / "battery.deepgui"
    project_file.write(project, path)
    assert project_file.read(path) == project


def test_takes_a_training_step(case: tuple[str, Network]) -> None:
    kind, network = case
    module = build(network, registry()).train()
    results = [r for r in _flat(module(*_examples(kind, network))) if r.requires_grad]
    parameters = [p for p in module.parameters() if p.requires_grad]
    if not parameters:
        return
    assert results, "the layer has parameters, but its result does not depend on them"
    before = [p.detach().clone() for p in parameters]
    sum(r.square().mean() for r in results).backward()
    torch.optim.SGD(parameters, lr=1.0).step()
    assert any(not torch.equal(a, b) for a, b in zip(before, parameters, strict=True))


def test_exports_as_a_program(case: tuple[str, Network]) -> None:
    kind, network = case
    module = build(network, registry()).eval()
    examples = tuple(_examples(kind, network))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind in NOT_EXPORTABLE:
            with pytest.raises(Exception):  # noqa: B017, PT011 - if torch learns to, this list gets shorter
                _same_after_export(module, examples)
            return
        _same_after_export(module, examples)


def _same_after_export(module: torch.nn.Module, examples: tuple[torch.Tensor, ...]) -> None:
    graphs = any(e is GRAPH_OF for e in examples)  # as many graphs as their numbers say: only bytecode tells
    program = torch.export.export(module, examples, strict=graphs)
    for ours, theirs in zip(_flat(_seeded(module, examples)), _flat(_seeded(program.module(), examples)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5, equal_nan=True)


class _Many(torch.nn.Module):
    """Several networks side by side, so that one export tries them all."""

    def __init__(self, parts: list[torch.nn.Module], takes: list[int]) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleList(parts)
        self.takes = takes

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        left = list(tensors)
        results = []
        for part, count in zip(self.parts, self.takes, strict=True):
            results += _flat(part(*left[:count]))
            left = left[count:]
        return tuple(results)


GROUPS = 16
"""So many exports for all kinds; the exporter takes much longer for one kind each, and crashes on all at once."""
IN_ONNX = [k for k in KINDS if k not in NOT_EXPORTABLE and k not in NOT_IN_ONNX]
ON_GRAPHS = [k for k in IN_ONNX if registry()[k].category == GRAPH]
ON_ROWS = [k for k in IN_ONNX if registry()[k].category != GRAPH]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "kinds", [*(ON_ROWS[group::GROUPS] for group in range(GROUPS)), ON_GRAPHS], ids=lambda kinds: kinds[0]
)
def test_exports_as_onnx(kinds: list[str]) -> None:
    networks = [_network(kind) for kind in kinds]
    examples = [_examples(kind, network) for kind, network in zip(kinds, networks, strict=True)]
    module = _Many([build(n, registry()) for n in networks], [len(e) for e in examples]).eval()
    given = tuple(tensor for tensors in examples for tensor in tensors)
    if kinds == ON_GRAPHS:
        program = torch.onnx.export(torch.export.export(module, given, strict=True), dynamo=True, verbose=False)
    else:
        program = torch.onnx.export(module, given, dynamo=True, verbose=False)
    assert program is not None
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]  # tensors_3, or tensors_3_orig where it goes straight through
    results = session.run(None, {name: given[int(name.split("_")[1])].numpy() for name in names})
    for ours, theirs in zip(module(*given), results, strict=True):
        torch.testing.assert_close(torch.as_tensor(theirs).to(ours.dtype), ours, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_ctc_loss() -> None:
    spec = registry()["CTCLoss"]
    network = Network("ctc")
    for shape, dtype in (((7, 5), "float32"), ((3,), "int64"), ((1,), "int64"), ((1,), "int64")):
        network, _ = edits.add_node(network, "Input", {"shape": shape, "dtype": dtype})
    network, turned = edits.add_node(network, "permute", {"dims": (1, 0, 2)})
    network, loss = edits.add_node(network, "CTCLoss")
    network, out = edits.add_node(network, "Output")
    network = edits.connect(network, Wire("input", "output", turned.id, "input"))
    network = edits.connect(network, Wire(turned.id, "output", loss.id, "log_probs"))
    network = edits.connect(network, Wire("input_2", "output", loss.id, "targets"))
    for source, port in (("input_3", "input_lengths"), ("input_4", "target_lengths")):
        network, flat = edits.add_node(network, "squeeze", {"dim": 1})
        network = edits.connect(network, Wire(source, "output", flat.id, "input"))
        network = edits.connect(network, Wire(flat.id, "output", loss.id, port))
    network = edits.connect(network, Wire(loss.id, "output", out.id, "input"))
    module = build(network, registry())
    log_probs = torch.randn(2, 7, 5).log_softmax(-1)
    targets, lengths = torch.tensor([[1, 2, 3], [2, 1, 4]]), torch.tensor([[7], [6]])
    sizes = torch.tensor([[3], [2]])
    expected = torch.nn.CTCLoss()(log_probs.permute(1, 0, 2), targets, lengths.squeeze(1), sizes.squeeze(1))
    assert spec.is_loss
    torch.testing.assert_close(module(log_probs, targets, lengths, sizes), expected)
