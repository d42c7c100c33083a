"""The first networks: a convolutional one and two perceptrons."""

from __future__ import annotations

from deepgui import Network
from deepgui.project.values import DataConfig, Project, TrainingConfig
from drawn.places import place


def digits_cnn() -> Project:
    """Two convolutions with pooling and one linear layer on 8×8 digits: 98.5 % on the test split."""
    net = Network("digits_cnn")
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
    return net.project("Digits CNN", data="digits", training=training)


def wine_mlp() -> Project:
    """A multilayer perceptron on 13 chemical measures: 97 % and more on the test split."""
    net = Network("wine_mlp")
    x = net.add("Input", shape=(13,), name="measures", at=place(0, 0))
    x = net.add("Linear", x, out_features=32, name="hidden", at=place(1, 0))
    x = net.add("ReLU", x, name="relu", at=place(2, 0))
    x = net.add("Dropout", x, p=0.3, name="dropout", at=place(0, 1))
    x = net.add("Linear", x, out_features=3, name="scores", at=place(1, 1))
    net.add("Output", x, name="cultivar", at=place(2, 1))
    training = TrainingConfig(optimizer_options={"lr": 3e-3}, epochs=60, batch_size=16)
    return net.project("Wine MLP", data="wine", training=training)


def moons_mlp() -> Project:
    """Two hidden layers on the two moons: 97 % and more on the test split, with a boundary to watch."""
    net = Network("moons_mlp")
    x = net.add("Input", shape=(2,), name="point", at=place(0, 0))
    x = net.add("Linear", x, out_features=16, name="hidden1", at=place(1, 0))
    x = net.add("Tanh", x, name="tanh1", at=place(2, 0))
    x = net.add("Linear", x, out_features=16, name="hidden2", at=place(3, 0))
    x = net.add("Tanh", x, name="tanh2", at=place(0, 1))
    x = net.add("Linear", x, out_features=2, name="scores", at=place(1, 1))
    net.add("Output", x, name="moon", at=place(2, 1))
    data = DataConfig(source="moons", options={"n": 1000, "noise": 0.15, "seed": 0})
    training = TrainingConfig(optimizer_options={"lr": 1e-2}, epochs=60, batch_size=32)
    return net.project("Moons MLP", data=data, training=training)


SAMPLES = {"digits_cnn": digits_cnn, "wine_mlp": wine_mlp, "moons_mlp": moons_mlp}
