"""Published models survive import, file, load, compile and source with equal answers.

They come with the extra ``zoo``; weights are random, statistics of batch normalisation too.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from importers.survival import survives
from torch import Tensor, nn

from deepgui.importers.module import import_module

FAMILIES = {
    "resnet": "resnet10",
    "preresnet": "preresnet10",
    "resnext": "resnext14_16x4d",
    "seresnet": "seresnet10",
    "sepreresnet": "sepreresnet10",
    "senet": "senet16",
    "densenet": "densenet121",
    "peleenet": "peleenet",
    "dla": "dla34",
    "darknet": "darknet_ref",
    "hardnet": "hardnet39ds",
    "squeezenet": "squeezenet_v1_0",
    "shufflenet": "shufflenet_g1_w1",
    "shufflenetv2": "shufflenetv2_wd2",
    "shufflenetv2b": "shufflenetv2b_wd2",
    "menet": "menet108_8x1_g3",
    "mobilenet": "mobilenet_wd4",
    "mobilenetv2": "mobilenetv2_wd4",
    "mobilenetv3": "mobilenetv3_small_wd2",
    "igcv3": "igcv3_wd4",
    "mnasnet": "mnasnet_b1",
    "ghostnet": "ghostnet",
    "proxylessnas": "proxylessnas_cpu",
    "fbnet": "fbnet_cb",
    "efficientnet": "efficientnet_b0",
    "mixnet": "mixnet_s",
    "dpn": "dpn68",
    "bninception": "bninception",
    "bamresnet": "bam_resnet18",
    "cbamresnet": "cbam_resnet18",
    "regnet": "regnetx002",
    "diracnetv2": "diracnet18v2",
    "octresnet": "octresnet10_ad2",
    "hrnet": "hrnet_w18_small_v1",
    "vovnet": "vovnet27s",
    "nin_cifar": "nin_cifar10",
    "resnet_cifar": "resnet20_cifar10",
    "sharesnet": "sharesnet18",
    "fractalnet_cifar": "fractalnet_cifar10",
    "condensenet": "condensenet74_c4_g4",
    "espnetv2": "espnetv2_wd2",
    "dicenet": "dicenet_wd5",
}
"""A module of ``pytorchcv.models`` and a model of it."""

TOLERANCE = 1e-5
"""Relative to the largest answer where that exceeds one."""


def brought(module: nn.Module, example: Tensor | dict[str, Tensor], folder: Path) -> float:
    """Import and go all the way; the largest difference, relative to the largest answer."""
    torch.manual_seed(1)
    for m in module.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.running_mean.normal_(0, 0.1)
            m.running_var.uniform_(0.5, 1.5)
    imported = import_module(module.eval(), example)
    assert [str(n) for n in imported.report.errors] == []
    assert imported.report.close, imported.report
    given = tuple(example.values()) if isinstance(example, dict) else (example,)
    return survives(module, imported, given, folder, list(example) if isinstance(example, dict) else None)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_pytorchcv(family: str, tmp_path: Path) -> None:
    pytest.importorskip("pytorchcv")
    torch.manual_seed(0)
    make = getattr(importlib.import_module(f"pytorchcv.models.{family}"), FAMILIES[family])
    size = 32 if "cifar" in family else 224
    assert brought(make(pretrained=False), torch.randn(2, 3, size, size), tmp_path) <= TOLERANCE


TOKENS = torch.arange(24).reshape(2, 12) % 50
SMALL: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
TEXT: dict[str, Any] = {**SMALL, "vocab_size": 60, "max_position_embeddings": 32}
PATCHES: dict[str, Any] = {**SMALL, "image_size": 32, "patch_size": 8}
IMAGE = torch.randn(2, 3, 32, 32)

TRANSFORMERS: dict[str, tuple[str, dict[str, Any], dict[str, Tensor]]] = {
    "Bert": ("BertModel", TEXT, {"input_ids": TOKENS}),
    "Roberta": ("RobertaModel", TEXT, {"input_ids": TOKENS + 3}),
    "Albert": ("AlbertModel", {**TEXT, "embedding_size": 16}, {"input_ids": TOKENS}),
    "GPT2": (
        "GPT2LMHeadModel",
        {"vocab_size": 60, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 32, "use_cache": False},
        {"input_ids": TOKENS},
    ),
    "Llama": ("LlamaForCausalLM", {**TEXT, "num_key_value_heads": 4, "use_cache": False}, {"input_ids": TOKENS}),
    "T5": (
        "T5EncoderModel",
        {"vocab_size": 60, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4},
        {"input_ids": TOKENS},
    ),
    "ViT": ("ViTModel", PATCHES, {"pixel_values": IMAGE}),
    "Swin": (
        "SwinModel",
        {"image_size": 32, "patch_size": 4, "embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4},
        {"pixel_values": IMAGE},
    ),
    "ConvNext": (
        "ConvNextModel",
        {"hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 2, 1]},
        {"pixel_values": torch.randn(2, 3, 64, 64)},
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", TRANSFORMERS)
def test_transformers(family: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    name, settings, example = TRANSFORMERS[family]
    make = getattr(transformers, name)
    assert brought(make(make.config_class(**settings)), example, tmp_path) <= TOLERANCE


MONAI: dict[str, tuple[Callable[[Any], nn.Module], Tensor]] = {
    "UNet": (
        lambda nets: nets.UNet(2, 1, 2, channels=(4, 8, 16), strides=(2, 2), num_res_units=2),
        torch.randn(2, 1, 32, 32),
    ),
    "UNet3d": (lambda nets: nets.UNet(3, 1, 2, channels=(4, 8), strides=(2,)), torch.randn(2, 1, 16, 16, 16)),
    "AttentionUnet": (lambda nets: nets.AttentionUnet(2, 1, 2, (4, 8, 16), (2, 2)), torch.randn(2, 1, 32, 32)),
    "SegResNet": (lambda nets: nets.SegResNet(spatial_dims=2, init_filters=8), torch.randn(2, 1, 32, 32)),
    "VNet": (lambda nets: nets.VNet(spatial_dims=2), torch.randn(2, 1, 32, 32)),
    "ViT": (
        lambda nets: nets.ViT(
            1, (32, 32), (8, 8), hidden_size=48, mlp_dim=64, num_layers=2, num_heads=4, spatial_dims=2
        ),
        torch.randn(2, 1, 32, 32),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("family", MONAI)
def test_monai(family: str, tmp_path: Path) -> None:
    nets = pytest.importorskip("monai.networks.nets")
    torch.manual_seed(0)
    make, example = MONAI[family]
    assert brought(make(nets), example, tmp_path) <= TOLERANCE
