"""Draws the sample projects: python samples/make_samples.py. The files beside this script are what it writes."""

from __future__ import annotations

from pathlib import Path

import deepgui
from deepgui.project.values import DataConfig, Project, TrainingConfig

HERE = Path(__file__).resolve().parent

DIGITS_NOTES = """\
A small convolutional network reads handwritten digits, 8×8 pixels each.
Watch the two loss curves fall together: as long as the validation curve keeps up, the network understands \
digits instead of remembering them.
Select conv1 and look at its feature maps: strokes and edges light up. Those of conv2 already answer to \
parts of digits.
In the confusion matrix the last mistakes gather where people hesitate, too: 8 against 1, 9 against 3.
Try it: take out batch1 (Ctrl+Delete) and train again; the first epochs become much slower."""

WINE_NOTES = """\
Three cultivars of wine, told apart by 13 chemical measures, with one hidden layer.
There are only 178 bottles, so a validation split has about 27: its accuracy moves in steps of 4 %.
The inputs are scaled to mean 0 and deviation 1 first. Set normalize to none in the data settings and see \
how proline, in hundreds, drowns the other twelve.
Dropout silences a third of the hidden units at each step, which is why the training loss stays above the \
validation loss here."""

MOONS_NOTES = """\
Two half circles that no straight line can separate, and a network small enough to watch.
Pin the decision boundary: it begins as a straight line, bends, and closes around the moons as the loss falls.
Each of the first layer's units draws one line; the second layer bends them into curves.
Try it: remove both Tanh layers. What is left is linear, however many layers there are, and stops at about 87 %."""


def digits_cnn() -> Project:
    """Two convolutions and two linear layers on 8×8 digits: 98.5 % on the test split."""
    net = deepgui.Network("digits_cnn")
    x = net.add("Input", shape=(1, 8, 8), name="image")
    for number, channels in enumerate((16, 32), 1):
        x = net.add("Conv2d", x, out_channels=channels, kernel_size=3, padding=1, name=f"conv{number}")
        x = net.add("BatchNorm2d", x, name=f"batch{number}")
        x = net.add("ReLU", x, name=f"relu{number}")
    x = net.add("MaxPool2d", x, kernel_size=2, name="pool")
    x = net.add("Flatten", x, name="flatten")
    x = net.add("Dropout", x, p=0.3, name="dropout")
    x = net.add("Linear", x, out_features=64, name="hidden")
    x = net.add("ReLU", x, name="relu3")
    x = net.add("Linear", x, out_features=10, name="scores")
    net.add("Output", x, name="digit")
    training = TrainingConfig(
        optimizer="AdamW",
        optimizer_options={"lr": 3e-3},
        scheduler="OneCycleLR",
        epochs=20,
        batch_size=64,
    )
    return net.project("Digits CNN", data="digits", training=training, notes=DIGITS_NOTES)


def wine_mlp() -> Project:
    """A multilayer perceptron on 13 chemical measures: 97 % and more on the test split."""
    net = deepgui.Network("wine_mlp")
    x = net.add("Input", shape=(13,), name="measures")
    x = net.add("Linear", x, out_features=32, name="hidden")
    x = net.add("ReLU", x, name="relu")
    x = net.add("Dropout", x, p=0.3, name="dropout")
    x = net.add("Linear", x, out_features=3, name="scores")
    net.add("Output", x, name="cultivar")
    training = TrainingConfig(optimizer_options={"lr": 3e-3}, epochs=60, batch_size=16)
    return net.project("Wine MLP", data="wine", training=training, notes=WINE_NOTES)


def moons_mlp() -> Project:
    """Two hidden layers on the two moons: 97 % and more on the test split, with a boundary to watch."""
    net = deepgui.Network("moons_mlp")
    x = net.add("Input", shape=(2,), name="point")
    for number in (1, 2):
        x = net.add("Linear", x, out_features=16, name=f"hidden{number}")
        x = net.add("Tanh", x, name=f"tanh{number}")
    x = net.add("Linear", x, out_features=2, name="scores")
    net.add("Output", x, name="moon")
    data = DataConfig(source="moons", options={"n": 1000, "noise": 0.15, "seed": 0})
    training = TrainingConfig(optimizer_options={"lr": 1e-2}, epochs=60, batch_size=32)
    return net.project("Moons MLP", data=data, training=training, notes=MOONS_NOTES)


SAMPLES = {"digits_cnn": digits_cnn, "wine_mlp": wine_mlp, "moons_mlp": moons_mlp}


def main() -> None:
    for name, make in SAMPLES.items():
        deepgui.save(make(), HERE / f"{name}.deepgui")


if __name__ == "__main__":
    main()
