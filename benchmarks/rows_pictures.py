"""Networks over pictures and sound: digits, photos, shapes, blood cells and spoken digits."""

from __future__ import annotations

from pathlib import Path

from figures import Row, trained
from lenet_mnist import lenet

import deepgui
from deepgui.builder import Handle, Network
from deepgui.data.dataset import prepare
from deepgui.library.convolution import conv_relu
from deepgui.library.residual import residual
from deepgui.paths import samples
from deepgui.project.values import DataConfig, TrainingConfig


def _sample(name: str, metric: str) -> float:
    return trained(deepgui.load(samples() / f"{name}.deepgui"))[1][metric]


def digits_cnn(data: Path) -> float:
    """Test accuracy of the sample."""
    return _sample("digits_cnn", "test_accuracy")


def mnist(data: Path) -> float:
    """Test accuracy of LeNet-5 on MNIST's own test pictures."""
    return trained(lenet(data / "mnist", 12))[1]["test_accuracy"]


def _stage(net: Network, x: Handle, channels: int, count: int = 2) -> Handle:
    """Convolutions with batch normalisation, and half the size."""
    x = net.add(conv_relu(), x, out_channels=channels, batch_norm=True, repeat=count)
    return net.add("MaxPool2d", x, kernel_size=2)


def cifar(data: Path) -> float:
    """Test accuracy on 1,000 photos, learnt from 5,000."""
    net = deepgui.Network("cifar")
    x = net.add("Input", shape=(3, 32, 32))
    for channels, count in ((24, 1), (48, 2), (96, 2)):
        x = net.add("Dropout2d", _stage(net, x, channels, count), p=0.1)
    x = net.add("Dropout", net.add("Flatten", net.add("AdaptiveAvgPool2d", x, output_size=2)), p=0.4)
    net.add("Output", net.add("Linear", x, out_features=10))
    folder = data / "cifar10-jpg" / "subset"
    source = DataConfig("image_folder", {"path": str(folder)}, validation=0.0)
    training = TrainingConfig(
        optimizer="AdamW",
        optimizer_options={"lr": 5e-3, "weight_decay": 0.05},
        scheduler="OneCycleLR",
        epochs=14,
        batch_size=64,
        restore_best=False,
    )
    return trained(net.project(data=source, training=training))[1]["test_accuracy"]


def deep(data: Path) -> float:
    """Test accuracy on digits of 110 layers with skip connections less that of the same layers without."""
    found = []
    for skips in (True, False):
        net = residual(110, (1, 8, 8), 10, width=8, skips=skips)
        training = TrainingConfig(
            optimizer_options={"lr": 3e-3}, scheduler="OneCycleLR", epochs=6, batch_size=64, restore_best=False
        )
        found.append(trained(net.project(data="digits", training=training))[1]["test_accuracy"])
        print(f"    110 layers, skips {skips}: {found[-1]:.1%}", flush=True)
    return found[0] - found[1]


def digits_vit(data: Path) -> float:
    """Test accuracy of the sample."""
    return _sample("digits_vit", "test_accuracy")


def spoken_digits(data: Path) -> float:
    """Test accuracy on the recordings 0 to 4 of every speaker and digit."""
    (folder,) = {path.parent for path in (data / "fsdd").rglob("0_*_0.wav")}
    options = {"path": str(folder), "test_numbers": "0-4", "seconds": 0.8, "rate": 8000, "classes_from": "name"}
    source = DataConfig("wav_folder", options, validation=0.0)
    net = deepgui.Network("spoken_digits")
    x = net.add("Input", shape=prepare(source, "classification").fields[0].shape)
    for channels in (16, 32, 64):
        x = _stage(net, x, channels, 1)
    x = net.add("Flatten", net.add("AdaptiveAvgPool2d", x, output_size=(2, 4)))
    net.add("Output", net.add("Linear", net.add("Dropout", x, p=0.4), out_features=10))
    training = TrainingConfig(
        optimizer="AdamW",
        optimizer_options={"lr": 4e-3, "weight_decay": 0.05},
        scheduler="OneCycleLR",
        epochs=15,
        batch_size=32,
        restore_best=False,
    )
    return trained(net.project(data=source, training=training))[1]["test_accuracy"]


def shapes(data: Path) -> float:
    """Mean IoU of the sample on its test split."""
    return _sample("shapes_unet", "test_mean_iou")


def blood_cells(data: Path) -> float:
    """Mean average precision at an overlap of one half on the 72 test pictures of BCCD."""
    folder = data / "bccd" / "BCCD"
    source = DataConfig("boxes_folder", {"path": str(folder), "size": (120, 160)}, validation=0.0)
    net = deepgui.Network("blood_cells")
    x = net.add("Input", shape=prepare(source, "detection").fields[0].shape)
    for channels, count in ((16, 1), (32, 1), (64, 1)):
        x = _stage(net, x, channels, count)
    x = net.add(conv_relu(), x, out_channels=96, batch_norm=True, repeat=3)
    net.add("Output", net.add("Conv2d", x, out_channels=8, kernel_size=1))
    training = TrainingConfig(
        objective="detection",
        optimizer_options={"lr": 4e-3},
        scheduler="OneCycleLR",
        epochs=40,
        batch_size=8,
        restore_best=False,
    )
    return trained(net.project(data=source, training=training))[1]["test_map50"]


def simclr(data: Path) -> float:
    """What a linear probe on the representation of digits_simclr gets right more than one on pixels."""
    found = trained(deepgui.load(samples() / "digits_simclr.deepgui"))[1]
    print(f"    probe {found['test_probe_accuracy']:.1%}, pixels {found['test_pixels_accuracy']:.1%}", flush=True)
    return found["test_probe_accuracy"] - found["test_pixels_accuracy"]


ROWS = (
    Row("digits_cnn", "digits, test accuracy", 0.985, digits_cnn),
    Row("mnist", "MNIST LeNet-5, test accuracy", 0.99, mnist),
    Row("cifar", "CIFAR-10 subset, test accuracy", 0.60, cifar),
    Row("deep", "digits, 110 layers with less without skips", 0.3, deep),
    Row("digits_vit", "digits by a transformer, test accuracy", 0.97, digits_vit),
    Row("spoken_digits", "Free Spoken Digits, test accuracy", 0.95, spoken_digits),
    Row("shapes", "generated shapes, test mean IoU", 0.9, shapes),
    Row("blood_cells", "BCCD, test mAP at 0.5", 0.7, blood_cells),
    Row("simclr", "digits, linear probe less raw pixels", 0.001, simclr),
)
