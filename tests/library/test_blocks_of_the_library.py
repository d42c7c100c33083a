"""Every block of the library is what its script draws, can be used, and gives the same numbers everywhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import example_of, outputs, source_twin

import deepgui
from deepgui import library, paths
from deepgui.catalog.builtin import registry
from deepgui.graph import edits
from deepgui.library.__main__ import LIBRARY, files
from deepgui.project.file import to_text

FILES = {path: project for path, project in files().items() if path.parent.name == "blocks"}
PROMISED = {
    "residual": ("ResidualBasic", "Bottleneck", "PreActivation", "InvertedResidual", "ConvNeXtBlock"),
    "convolution": ("SqueezeExcite", "DenseLayer", "Inception", "DepthwiseSeparable", "SpectralNormConv"),
    "u-net": ("UNetDown", "UNetUp"),
    "transformer": ("EncoderPostNorm", "EncoderPreNorm", "DecoderPostNorm", "DecoderPreNorm", "SwiGLU"),
    "attention": ("CausalSelfAttention", "CrossAttention"),
    "position": ("PatchEmbedding", "SinusoidalPositions", "LearnedPositions", "RotaryPositions"),
    "generative": ("TimeEmbedding", "Reparameterise"),
    "sequence": ("GatedRecurrentStack",),
}


def test_all_that_is_promised_is_there() -> None:
    assert {name for names in PROMISED.values() for name in names} <= library.blocks().keys()
    assert library.blocks().keys() == LIBRARY.keys()
    assert not library.blocks().keys() & registry().keys()


def test_the_documentation_names_every_block_and_template() -> None:
    text = (Path(deepgui.__file__).parent.parent / "docs" / "blocks.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in library.blocks())
    assert all(f"| {t.name} | {t.parameters:,} | {t.summary} |" in text for t in library.templates().values())


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_script_draws_this_very_file(path: Any) -> None:
    assert path.read_text(encoding="utf-8") == to_text(FILES[path]), "run: python -m deepgui.library"


@pytest.mark.parametrize("name", LIBRARY)
def test_a_block_computes_the_same_as_its_source(name: str) -> None:
    project = deepgui.load(paths.resources() / "blocks" / f"{name}.deepgui")
    assert deepgui.check(project).problems == ()
    module = deepgui.compile(project).eval()
    twin = source_twin(project, module).eval()
    inputs = example_of(project)
    torch.testing.assert_close(outputs(module, inputs), outputs(twin, inputs), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", LIBRARY)
def test_a_block_learns_in_all_its_parts(name: str) -> None:
    project = deepgui.load(paths.resources() / "blocks" / f"{name}.deepgui")
    module = deepgui.compile(project)
    torch.manual_seed(0)
    inputs = [x.requires_grad_(x.is_floating_point()) for x in example_of(project)]
    result = module(*inputs)
    (result * torch.randn_like(result)).sum().backward()
    assert all(x.grad is not None and x.grad.any() for x in inputs if x.requires_grad)
    idle = [key for key, p in module.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert idle == []


@pytest.mark.parametrize("name", LIBRARY)
def test_a_block_says_what_it_is_and_is_laid_out(name: str) -> None:
    block = library.block(name)
    assert block.summary.endswith(".")
    assert block.category
    assert block.network.layout.keys() == block.network.nodes.keys()
    places = list(block.network.layout.values())
    for i, a in enumerate(places):
        assert all(abs(a.x - b.x) >= 184 or abs(a.y - b.y) >= 72 for b in places[i + 1 :])


def test_the_library_is_read_without_torch() -> None:
    code = (
        "import sys; from deepgui import library; assert len(library.blocks()) > 30; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_block_comes_into_a_project_with_those_inside_it() -> None:
    project = library.with_block(deepgui.Network("mine").project(), "ResidualBasic")
    assert set(project.blocks) == {"Projection", "ResidualBasic"}
    assert library.with_block(project, "ResidualBasic") is project
    assert "Projection" in library.with_block(project, "Bottleneck").blocks


def test_another_block_of_the_same_name_stays() -> None:
    project = library.with_block(deepgui.Network("mine").project(), "ResidualBasic")
    block = project.blocks["Projection"]
    changed = edits.set_params(block.network, "conv2d", {"kernel_size": 3})
    mine = type(project)(project.name, project.networks, blocks={"Projection": type(block)(changed, block.params)})
    with pytest.raises(ValueError, match="another block called Projection"):
        library.with_block(mine, "ResidualBasic")
    with pytest.raises(KeyError):
        library.with_block(mine, "Residual")


# --- against PyTorch's own, or a formula -----------------------------------------------------------------------


def used(name: str, *shapes: tuple[int, ...], **settings: Any) -> nn.Module:
    """One use of a block, compiled."""
    net = deepgui.Network("use")
    block = LIBRARY[name]()
    inputs = [net.add("Input", shape=shape, name=f"in{i}") for i, shape in enumerate(shapes)]
    net.add("Output", net.add(block, *inputs, **settings, name="block"))
    return deepgui.compile(net).eval().get_submodule("block")


def _like_torch(layer: nn.Module) -> dict[str, Tensor]:
    """The weights of PyTorch's layer under the names of ours."""
    renamed = {}
    for key, value in layer.state_dict().items():
        renamed[key.replace("linear", "feed_forward.linear")] = value
    return renamed


@pytest.mark.parametrize(("name", "norm_first"), [("EncoderPostNorm", False), ("EncoderPreNorm", True)])
def test_encoder_layers_are_those_of_torch(name: str, norm_first: bool) -> None:
    theirs = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=norm_first).eval()
    ours = used(name, (5, 32), num_heads=4, dim_feedforward=64)
    ours.load_state_dict(_like_torch(theirs))
    x = torch.randn(2, 5, 32)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "norm_first"), [("DecoderPostNorm", False), ("DecoderPreNorm", True)])
def test_decoder_layers_are_those_of_torch(name: str, norm_first: bool) -> None:
    theirs = nn.TransformerDecoderLayer(32, 4, 64, batch_first=True, norm_first=norm_first).eval()
    ours = used(name, (5, 32), (7, 32), num_heads=4, dim_feedforward=64)
    ours.load_state_dict(_like_torch(theirs))
    x, memory = torch.randn(2, 5, 32), torch.randn(2, 7, 32)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    torch.testing.assert_close(ours(x, memory), theirs(x, memory, tgt_mask=mask), atol=1e-5, rtol=1e-5)


def test_causal_attention_sees_nothing_of_what_comes_later() -> None:
    attention = used("CausalSelfAttention", (6, 24), num_heads=3)
    x = torch.randn(1, 6, 24)
    later = x.clone()
    later[:, 4:] += 1
    torch.testing.assert_close(attention(x)[:, :4], attention(later)[:, :4])
    assert not torch.allclose(attention(x)[:, 4:], attention(later)[:, 4:])


def test_sinusoidal_positions_are_those_of_the_paper() -> None:
    table = used("SinusoidalPositions", (9, 8))(torch.zeros(1, 9, 8))[0]
    for place, feature in ((0, 0), (3, 4), (8, 7)):
        angle = torch.tensor(place / 10_000 ** (2 * (feature // 2) / 8))
        torch.testing.assert_close(table[place, feature], angle.cos() if feature % 2 else angle.sin())


def test_rotary_positions_make_products_depend_on_distance_alone() -> None:
    turn = used("RotaryPositions", (1, 12, 8))
    query, key = (torch.randn(8).expand(1, 1, 12, 8) for _ in range(2))
    products = (turn(query) @ turn(key).transpose(-1, -2))[0, 0]
    torch.testing.assert_close(products[2, 5], products[6, 9])
    assert not torch.isclose(products[2, 5], products[2, 6])


def test_a_sample_has_the_mean_and_spread_that_it_is_given() -> None:
    draw = used("Reparameterise", (1,), (1,))
    torch.manual_seed(0)
    sample = draw(torch.full((20_000, 1), 3.0), torch.full((20_000, 1), 2.0))
    assert abs(sample.mean() - 3) < 0.1
    assert abs(sample.var().log() - 2) < 0.1


def test_skip_connections_are_projected_only_where_sizes_differ() -> None:
    assert "downsample.conv.weight" not in used("ResidualBasic", (8, 8, 8)).state_dict()
    assert "downsample.conv.weight" in used("ResidualBasic", (8, 8, 8), out_channels=16).state_dict()
    assert "downsample.conv.weight" in used("ResidualBasic", (8, 8, 8), stride=2).state_dict()


def test_spectral_norm_keeps_the_weight_from_stretching() -> None:
    conv = used("SpectralNormConv", (4, 8, 8), out_channels=6, kernel_size=1, padding=0).get_submodule("conv").train()
    for _ in range(50):
        conv(torch.randn(1, 4, 8, 8))
    assert abs(torch.linalg.matrix_norm(conv.eval().weight.flatten(1), 2) - 1) < 1e-3
