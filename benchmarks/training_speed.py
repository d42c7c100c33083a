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
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import deepgui
from deepgui.data.dataset import Dataset, prepare
from deepgui.paths import samples
from deepgui.project.values import Project
from deepgui.training.bindings import make_objective
from deepgui.training.events import Failed, Finished

SAMPLES = ("wine_mlp", "digits_cnn", "mackey_glass_lstm", "char_gpt")

TRIAL_STEPS = 30


def load(name: str, epochs: int) -> Project:
    """A sample with a fixed number of epochs, no early stopping and a constant learning rate."""
    project = deepgui.load(samples() / f"{name}.deepgui")
    training = replace(
        project.training,
        epochs=epochs,
        early_stopping=None,
        scheduler="",
        scheduler_options={},
        clip_grad_norm=None,
        restore_best=False,
        device="cpu",
    )
    return replace(project, training=training)


def twin(project: Project) -> nn.Module:
    """The exported class of the network, as a person would have written it."""
    namespace: dict[str, object] = {}
    exec(deepgui.to_python(project), namespace)
    made = [v for v in namespace.values() if isinstance(v, type) and issubclass(v, nn.Module)]
    return made[-1]()


def tensors(project: Project, dataset: Dataset, split: str) -> TensorDataset:
    """Inputs of the network and the target, each as one tensor."""
    names = (*make_objective(project, "", dataset).inputs, dataset.target.name)
    part = getattr(dataset, split)
    batch = part.get(torch.arange(len(part)))
    return TensorDataset(*(batch[name] for name in names))


def loss_for(project: Project) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss as a tutorial has it."""
    losses: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
        "classification": nn.CrossEntropyLoss(),
        "regression": nn.MSELoss(),
        "next_token": lambda scores, wanted: functional.cross_entropy(scores.flatten(0, 1), wanted.flatten()),
    }
    return losses[project.training.objective]


def tutorial(project: Project, dataset: Dataset) -> tuple[int, float]:
    """Steps and seconds of the tutorial's loop."""
    torch.manual_seed(project.training.seed)
    model, loss_of = twin(project), loss_for(project)
    optimizer = torch.optim.Adam(model.parameters(), lr=float(project.training.optimizer_options.get("lr", 1e-3)))
    size = project.training.batch_size
    train = DataLoader(tensors(project, dataset, "train"), batch_size=size, shuffle=True)
    validation = DataLoader(tensors(project, dataset, "validation"), batch_size=size)
    steps, begin = 0, time.perf_counter()
    for _ in range(project.training.epochs):
        model.train()
        for *inputs, targets in train:
            optimizer.zero_grad()
            loss = loss_of(model(*inputs), targets)
            loss.backward()
            optimizer.step()
            loss.item()
            steps += 1
            if steps == project.training.max_steps:
                break
        model.eval()
        with torch.no_grad():
            for *inputs, targets in validation:
                loss_of(model(*inputs), targets).item()
    return steps, time.perf_counter() - begin


def hand_tuned(project: Project, dataset: Dataset) -> tuple[int, float]:
    """Steps and seconds of a loop by somebody who knows where the time goes."""
    torch.manual_seed(project.training.seed)
    model, loss_of = twin(project), loss_for(project)
    lr = float(project.training.optimizer_options.get("lr", 1e-3))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    columns = tensors(project, dataset, "train").tensors
    *checks, answers = tensors(project, dataset, "validation").tensors
    size, steps, begin = project.training.batch_size, 0, time.perf_counter()
    for _ in range(project.training.epochs):
        model.train()
        order = torch.randperm(len(columns[0]))
        for *inputs, targets in zip(*(column[order].split(size) for column in columns), strict=True):
            optimizer.zero_grad(set_to_none=True)
            loss_of(model(*inputs), targets).backward()
            optimizer.step()
            steps += 1
            if steps == project.training.max_steps:
                break
        model.eval()
        with torch.no_grad():
            loss_of(model(*checks), answers).item()
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


def as_long_as(project: Project, dataset: Dataset, seconds: float) -> Project:
    """The project with as many epochs, or steps of a long epoch, as the tutorial's loop does in that time."""
    trial = replace(project, training=replace(project.training, epochs=3, max_steps=TRIAL_STEPS))
    steps, took = tutorial(trial, dataset)
    epoch = -(-len(dataset.train) // project.training.batch_size)
    wanted = max(TRIAL_STEPS, round(steps / took * seconds))
    training = replace(project.training, epochs=-(-wanted // epoch))
    if wanted < 3 * epoch:
        training = replace(training, max_steps=wanted)
    return replace(project, training=training)


def compare(name: str, ours: Callable[[Project, Dataset], tuple[int, float]], rounds: int, seconds: float) -> None:
    project = load(name, 1)
    dataset = prepare(project.data, project.training.objective)
    project = as_long_as(project, dataset, seconds)
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
