"""Networks that listen."""

from __future__ import annotations

from collections.abc import Callable

from deepgui import Network
from deepgui.data.dataset import prepare
from deepgui.library.convolution import conv_relu
from deepgui.project.values import DataConfig, Project, TrainingConfig
from drawn.places import place


def tones_cnn() -> Project:
    """Six shapes of tone told apart by their spectrograms."""
    data = DataConfig("tones", {"n": 900})
    shape = prepare(data, "classification").fields[0].shape
    net = Network("tones_cnn")
    x = net.add("Input", shape=shape, name="spectrogram", at=place(0, 0))
    for row, channels in enumerate((8, 16, 32)):
        first = 1 if row == 0 else 0
        name = f"sounds{row + 1}"
        x = net.add(conv_relu(), x, out_channels=channels, batch_norm=True, name=name, at=place(first, row))
        x = net.add("MaxPool2d", x, kernel_size=2, name=f"pool{row + 1}", at=place(first + 1, row))
    x = net.add("AdaptiveAvgPool2d", x, output_size=1, name="mean", at=place(0, 3))
    x = net.add("Flatten", x, name="flatten", at=place(1, 3))
    x = net.add("Linear", x, out_features=6, name="scores", at=place(2, 3))
    net.add("Output", x, name="tone", at=place(3, 3))
    training = TrainingConfig(optimizer_options={"lr": 1e-2}, scheduler="OneCycleLR", epochs=15, batch_size=32)
    return net.project("Tones CNN", data=data, training=training)


SAMPLES: dict[str, Callable[[], Project]] = {"tones_cnn": tones_cnn}
