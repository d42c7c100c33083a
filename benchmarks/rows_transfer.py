"""Transfer: what was learnt of the digits 0 to 4 helps to learn 5 to 9 from ten labels a class.

    python benchmarks/rows_transfer.py FOLDER_WITH_THE_MNIST_FILES [--seeds 3]

Trains a small convolutional network on MNIST's 0 to 4, then one for 5 to 9 on fifty pictures: from nothing, and from
the first one's weights with a fresh head. Prints the accuracies on MNIST's test pictures of 5 to 9.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from figures import Row
from numpy.typing import NDArray

import deepgui
from deepgui.project.values import DataConfig, LayerTraining, Project, TrainingConfig
from deepgui.training.events import Finished
from deepgui.training.store import RunStore
from deepgui.training.trainer import RunSpec, Trainer

LABELS = 10
SOURCE = 2000
"""Pictures a class of the digits 0 to 4."""


def digits(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pictures and labels of ``train`` or ``t10k``."""
    pictures = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(pictures, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def five_classes(folder: Path, first: int, count: int, seed: int, out: Path) -> Path:
    """A file with ``count`` training pictures of each of five digits, and all test pictures of them."""
    pictures, labels = digits(folder, "train")
    random = np.random.default_rng(seed)
    wanted = range(first, first + 5)
    rows = np.concatenate([random.permutation(np.flatnonzero(labels == c))[:count] for c in wanted])
    others, answers = digits(folder, "t10k")
    test = np.isin(answers, list(wanted))
    x, y = {"train": pictures[rows], "test": others[test]}, {"train": labels[rows], "test": answers[test]}
    np.savez(out, x_train=x["train"], y_train=y["train"], x_test=x["test"], y_test=y["test"])
    return out


def network(path: Path, seed: int, **training: object) -> Project:
    """Two convolutions, a hidden layer and a head with five answers."""
    net = deepgui.Network("five")
    x = net.add("Input", shape=(1, 28, 28))
    for channels in (16, 32):
        x = net.add("ReLU", net.add("Conv2d", x, out_channels=channels, kernel_size=5, padding=2))
        x = net.add("MaxPool2d", x, kernel_size=2)
    x = net.add("ReLU", net.add("Linear", net.add("Flatten", x), out_features=64))
    net.add("Output", net.add("Linear", x, out_features=5))
    data = DataConfig("numpy", {"path": str(path)}, validation=0.0)
    settings = TrainingConfig(device="cpu", seed=seed, restore_best=False, **training)
    return net.project("five", data=data, training=settings)


def accuracy(project: Project, folder: Path | None = None) -> float:
    """Train it; the accuracy on its test split."""
    *_, last = Trainer(RunSpec(project, folder=folder))
    assert isinstance(last, Finished), last
    return last.metrics["test_accuracy"]


def both(data: Path, seeds: int) -> tuple[float, float]:
    """Mean accuracy on 5 to 9 from nothing, and from what was learnt of 0 to 4; ``data``: folder of MNIST's files."""
    torch.set_num_threads(1)
    fresh, warm = [], []
    with tempfile.TemporaryDirectory() as place:
        for seed in range(seeds):
            many = five_classes(data, 0, SOURCE, seed, Path(place) / f"many{seed}.npz")
            first = network(many, seed, epochs=2)
            run = RunStore(place).create(first)
            accuracy(first, run)
            few = five_classes(data, 5, LABELS, seed, Path(place) / f"few{seed}.npz")
            target = network(few, seed, epochs=40, batch_size=10)
            head = {"linear_2": LayerTraining(init="xavier_uniform_")}
            moved = replace(target, training=replace(target.training, start_from=str(run), layers=head))
            fresh.append(accuracy(target))
            warm.append(accuracy(moved))
            print(f"seed {seed}: from nothing {fresh[-1]:.1%}, from the digits 0 to 4 {warm[-1]:.1%}", flush=True)
    return statistics.mean(fresh), statistics.mean(warm)


def gain(data: Path) -> float:
    """How much better it is, over three seeds."""
    fresh, warm = both(data / "mnist", 3)
    return warm - fresh


ROWS = (Row("transfer", "MNIST 5-9 from 0-4, accuracy gained", 0.001, gain),)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    fresh, warm = both(arguments.data, arguments.seeds)
    print(f"transfer: {warm:.1%} against {fresh:.1%}, {100 * (warm - fresh):+.1f} points")


if __name__ == "__main__":
    main()
