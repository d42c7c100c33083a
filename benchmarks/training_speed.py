"""Training speed against the loop of the PyTorch tutorial, on the same network, data and settings.

The tutorial's loop is a DataLoader over a TensorDataset, ``zero_grad``, forward, loss, backward, Adam,
``loss.item()`` every step, and a pass over the validation data after every epoch. DeepGUI does the same
work (and writes curves); with ``--window`` it does so with its main window open and its plots live.
A hand-tuned loop (tensors indexed directly, fused Adam, no ``item()``) is measured beside it.

    python benchmarks/training_speed.py [--window] [--rounds 5] [--seconds 4]

Prints steps per second and the ratios; the rounds take turns, so that a noisy machine hits all alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import deepgui
from deepgui.data.dataset import Dataset, prepare
from deepgui.paths import samples
from deepgui.project.values import Project
from deepgui.training.events import Failed, Finished

SAMPLES = ("wine_mlp", "digits_cnn", "moons_mlp")


def load(name: str, epochs: int) -> Project:
    """A sample with a fixed number of epochs, no early stopping and a constant learning rate."""
    project = deepgui.load(samples() / f"{name}.deepgui")
    training = replace(
        project.training, epochs=epochs, early_stopping=None, scheduler="", restore_best=False, device="cpu"
    )
    return replace(project, training=training)


def twin(project: Project) -> nn.Module:
    """The exported class, as a person would have written it."""
    namespace: dict[str, object] = {}
    exec(deepgui.to_python(project), namespace)
    made = next(v for v in namespace.values() if isinstance(v, type) and issubclass(v, nn.Module))
    return made()


def tensors(dataset: Dataset, split: str) -> TensorDataset:
    part = getattr(dataset, split).all()
    return TensorDataset(part[dataset.inputs[0]], part[dataset.target.name])


def tutorial(project: Project, dataset: Dataset) -> tuple[int, float]:
    """Steps and seconds of the tutorial's loop."""
    torch.manual_seed(project.training.seed)
    model, loss_of = twin(project), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=float(project.training.optimizer_options.get("lr", 1e-3)))
    size = project.training.batch_size
    train = DataLoader(tensors(dataset, "train"), batch_size=size, shuffle=True)
    validation = DataLoader(tensors(dataset, "validation"), batch_size=size)
    steps, begin = 0, time.perf_counter()
    for _ in range(project.training.epochs):
        model.train()
        for inputs, targets in train:
            optimizer.zero_grad()
            loss = loss_of(model(inputs), targets)
            loss.backward()
            optimizer.step()
            loss.item()
            steps += 1
        model.eval()
        correct = 0.0
        with torch.no_grad():
            for inputs, targets in validation:
                scores = model(inputs)
                loss_of(scores, targets).item()
                correct += (scores.argmax(1) == targets).float().sum().item()
    return steps, time.perf_counter() - begin


def hand_tuned(project: Project, dataset: Dataset) -> tuple[int, float]:
    """Steps and seconds of a loop by somebody who knows where the time goes."""
    torch.manual_seed(project.training.seed)
    model, loss_of = twin(project), nn.CrossEntropyLoss()
    lr = float(project.training.optimizer_options.get("lr", 1e-3))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    inputs, targets = tensors(dataset, "train").tensors
    checks, answers = tensors(dataset, "validation").tensors
    size, steps, begin = project.training.batch_size, 0, time.perf_counter()
    for _ in range(project.training.epochs):
        model.train()
        order = torch.randperm(len(inputs))
        shuffled, wanted = inputs[order], targets[order]
        for x, y in zip(shuffled.split(size), wanted.split(size), strict=True):
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(x), y).backward()
            optimizer.step()
            steps += 1
        model.eval()
        with torch.no_grad():
            (model(checks).argmax(1) == answers).float().mean().item()
    return steps, time.perf_counter() - begin


def headless(project: Project, dataset: Dataset) -> tuple[int, float]:
    """Steps and seconds of DeepGUI's trainer, as it reports them."""
    del dataset
    for event in deepgui.train(project):
        if isinstance(event, Failed):
            raise SystemExit(event.message)
        if isinstance(event, Finished):
            return event.steps, event.seconds
    raise SystemExit("the training ended without a word")


def epochs_for(project: Project, dataset: Dataset, seconds: float) -> int:
    """So many epochs that the tutorial's loop takes about that long."""
    steps, took = tutorial(replace(project, training=replace(project.training, epochs=3)), dataset)
    return max(3, round(3 * seconds / took)) if steps else 3


def compare(name: str, ours: Callable[[Project, Dataset], tuple[int, float]], rounds: int, seconds: float) -> None:
    project = load(name, 1)
    dataset = prepare(project.data, project.training.objective)
    project = load(name, epochs_for(project, dataset, seconds))
    rates: dict[str, list[float]] = {"tutorial": [], "hand-tuned": [], "DeepGUI": []}
    for _ in range(rounds):
        for label, run in (("tutorial", tutorial), ("hand-tuned", hand_tuned), ("DeepGUI", ours)):
            threads = torch.get_num_threads()
            steps, took = run(project, dataset)
            torch.set_num_threads(threads)
            rates[label].append(steps / took)
    middle = {label: statistics.median(found) for label, found in rates.items()}
    to_tutorial = statistics.median(a / b for a, b in zip(rates["DeepGUI"], rates["tutorial"], strict=True))
    to_tuned = statistics.median(a / b for a, b in zip(rates["DeepGUI"], rates["hand-tuned"], strict=True))
    print(
        f"{name:12} batch {project.training.batch_size:4}  "
        f"tutorial {middle['tutorial']:7.0f}/s  hand-tuned {middle['hand-tuned']:7.0f}/s  "
        f"DeepGUI {middle['DeepGUI']:7.0f}/s  = {to_tutorial:.2f} x tutorial, {to_tuned:.2f} x hand-tuned"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", action="store_true", help="train in the open main window with live plots")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one run of the tutorial's loop")
    parser.add_argument("--samples", nargs="*", default=SAMPLES)
    arguments = parser.parse_args()
    ours = headless
    if arguments.window:
        sys.path.insert(0, str(__file__).rpartition("/")[0])
        from in_window import train_in_window as ours
    for name in arguments.samples:
        compare(name, ours, arguments.rounds, arguments.seconds)


if __name__ == "__main__":
    main()
