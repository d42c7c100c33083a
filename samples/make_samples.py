"""Draws the sample projects: python samples/make_samples.py. The files beside this script are what it writes."""

from __future__ import annotations

from pathlib import Path

import deepgui
from deepgui.graph.values import Point
from deepgui.project.values import DataConfig, Project, TrainingConfig

HERE = Path(__file__).resolve().parent

DIGITS_NOTES = """\
A small convolutional network reads handwritten digits, 8×8 pixels each.
Watch the two loss curves fall together: as long as the validation curve keeps up, the network understands \
digits instead of remembering them.
Select conv1 and look at its feature maps: strokes and edges light up. Those of conv2 answer to larger parts.
In the confusion matrix the last mistakes gather where people hesitate, too, such as 8 against 1.
Try it: drop a BatchNorm2d on the wire behind each convolution and train again. The first epochs get more done."""

WINE_NOTES = """\
Three cultivars of wine, told apart by 13 chemical measures, with one hidden layer.
Watch the validation loss: it falls until about epoch 20 and then rises slowly, while the training loss goes on \
falling. From there on the network learns bottles by heart; the weights of the best epoch are given back at the end.
There are only 178 bottles, 27 of them for validation, so that accuracy moves in steps of 4 %.
Try it: set normalize to none in the data settings. Proline, in hundreds, drowns the other twelve measures, and \
about a quarter of the answers become wrong."""

MOONS_NOTES = """\
Two half circles that no straight line can separate, and a network small enough to watch.
Watch the decision boundary: it begins as a straight line, bends, and closes around the moons as the loss falls.
Each unit of the first layer draws one soft line; the second layer bends them into a curve.
Try it: take out both Tanh layers. What is left is linear, however many layers there are, and stays at about 87 %."""

COLUMN, ROW = 280.0, 176.0


def place(column: int, row: int) -> Point:
    """A place on the samples' common grid."""
    return Point(column * COLUMN, row * ROW)


def digits_cnn() -> Project:
    """Two convolutions with pooling and one linear layer on 8×8 digits: 98.5 % on the test split."""
    net = deepgui.Network("digits_cnn")
    x = net.add("Input", shape=(1, 8, 8), name="image", at=place(0, 0))
    x = net.add("Conv2d", x, out_channels=16, kernel_size=3, padding=1, name="conv1", at=place(1, 0))
    x = net.add("ReLU", x, name="relu1", at=place(2, 0))
    x = net.add("MaxPool2d", x, kernel_size=2, name="pool1", at=place(3, 0))
    x = net.add("Conv2d", x, out_channels=32, kernel_size=3, padding=1, name="conv2", at=place(0, 1))
    x = net.add("ReLU", x, name="relu2", at=place(1, 1))
    x = net.add("MaxPool2d", x, kernel_size=2, name="pool2", at=place(2, 1))
    x = net.add("Flatten", x, name="flatten", at=place(3, 1))
    x = net.add("Linear", x, out_features=10, name="scores", at=place(0, 2))
    net.add("Output", x, name="digit", at=place(1, 2))
    training = TrainingConfig(
        optimizer="AdamW",
        optimizer_options={"lr": 5e-3, "weight_decay": 0.2},
        scheduler="OneCycleLR",
        epochs=30,
        batch_size=32,
    )
    return net.project("Digits CNN", data="digits", training=training, notes=DIGITS_NOTES)


def wine_mlp() -> Project:
    """A multilayer perceptron on 13 chemical measures: 97 % and more on the test split."""
    net = deepgui.Network("wine_mlp")
    x = net.add("Input", shape=(13,), name="measures", at=place(0, 0))
    x = net.add("Linear", x, out_features=32, name="hidden", at=place(1, 0))
    x = net.add("ReLU", x, name="relu", at=place(2, 0))
    x = net.add("Dropout", x, p=0.3, name="dropout", at=place(0, 1))
    x = net.add("Linear", x, out_features=3, name="scores", at=place(1, 1))
    net.add("Output", x, name="cultivar", at=place(2, 1))
    training = TrainingConfig(optimizer_options={"lr": 3e-3}, epochs=60, batch_size=16)
    return net.project("Wine MLP", data="wine", training=training, notes=WINE_NOTES)


def moons_mlp() -> Project:
    """Two hidden layers on the two moons: 97 % and more on the test split, with a boundary to watch."""
    net = deepgui.Network("moons_mlp")
    x = net.add("Input", shape=(2,), name="point", at=place(0, 0))
    x = net.add("Linear", x, out_features=16, name="hidden1", at=place(1, 0))
    x = net.add("Tanh", x, name="tanh1", at=place(2, 0))
    x = net.add("Linear", x, out_features=16, name="hidden2", at=place(3, 0))
    x = net.add("Tanh", x, name="tanh2", at=place(0, 1))
    x = net.add("Linear", x, out_features=2, name="scores", at=place(1, 1))
    net.add("Output", x, name="moon", at=place(2, 1))
    data = DataConfig(source="moons", options={"n": 1000, "noise": 0.15, "seed": 0})
    training = TrainingConfig(optimizer_options={"lr": 1e-2}, epochs=60, batch_size=32)
    return net.project("Moons MLP", data=data, training=training, notes=MOONS_NOTES)


SAMPLES = {"digits_cnn": digits_cnn, "wine_mlp": wine_mlp, "moons_mlp": moons_mlp}


def main() -> None:
    """Write the projects, and the pictures that the start page shows."""
    import draw_pictures  # the module beside this one

    for name, make in SAMPLES.items():
        project = make()
        deepgui.save(project, HERE / f"{name}.deepgui")
        draw_pictures.draw(project, HERE / "pictures" / f"{name}.png")


if __name__ == "__main__":
    main()
