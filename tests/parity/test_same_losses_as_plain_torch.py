"""A compiled drawing and its hand-written twin, same seed and data: the same losses step by step."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from deepgui import builder
from deepgui.data.batches import Batches
from deepgui.data.dataset import prepare
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training.events import Failed, Scalars
from deepgui.training.trainer import RunSpec, Trainer


class HandWrittenMLP(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(13, 24)
        self.second = nn.Linear(24, 3)
        self.dropout = nn.Dropout(0.2)

    def forward(self, x):
        return self.second(self.dropout(torch.tanh(self.first(x))))


class HandWrittenCNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8 * 16, 10)

    def forward(self, x):
        y = torch.relu(self.norm(self.conv1(x)))
        y = nn.functional.max_pool2d(y + self.conv2(y), 2)
        return self.head(y.flatten(1))


def drawn_mlp():
    net = builder.Network("mlp")
    x = net.add("Linear", net.add("Input", shape=(13,)), out_features=24)
    net.add("Output", net.add("Linear", net.add("Dropout", net.add("Tanh", x), p=0.2), out_features=3))
    return net


def drawn_cnn():
    net = builder.Network("cnn")
    x = net.add("Conv2d", net.add("Input", shape=(1, 8, 8)), out_channels=8, kernel_size=3, padding=1)
    y = net.add("ReLU", net.add("BatchNorm2d", x))
    z = net.add("add", y, net.add("Conv2d", y, out_channels=8, kernel_size=3, padding=1))
    z = net.add("Flatten", net.add("MaxPool2d", z, kernel_size=2))
    net.add("Output", net.add("Linear", z, out_features=10))
    return net


OPTIMIZERS = {
    "SGD": ("SGD", {"lr": 0.05, "momentum": 0.9}),
    "Adam": ("Adam", {"lr": 0.003}),
    "AdamW": ("AdamW", {"lr": 0.003, "weight_decay": 0.1}),
}
TWINS = {"mlp": (drawn_mlp, HandWrittenMLP, "wine", 16), "cnn": (drawn_cnn, HandWrittenCNN, "digits", 128)}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("twin", TWINS)
def test_losses_agree_step_by_step(twin, optimizer):
    draw, write, source, batch_size = TWINS[twin]
    name, options = OPTIMIZERS[optimizer]
    config = TrainingConfig(
        optimizer=name, optimizer_options=options, epochs=3, batch_size=batch_size, seed=11, device="cpu"
    )
    project = draw().project(data=DataConfig(source), training=config)
    drawn = train(project)
    written = plain_loop(write, project)
    assert len(drawn) == len(written) > 20
    torch.testing.assert_close(torch.tensor(drawn), torch.tensor(written), rtol=1e-4, atol=1e-7)
    # Before rounding can build up over many steps, one in a million:
    torch.testing.assert_close(torch.tensor(drawn[:5]), torch.tensor(written[:5]), rtol=1e-6, atol=1e-8)


def train(project):
    losses: list[float] = []
    for event in Trainer(RunSpec(project)):
        assert not isinstance(event, Failed), event
        if isinstance(event, Scalars):
            losses.extend(event.columns.get("train_loss", ()))
    return losses


def plain_loop(write, project):
    """What the PyTorch tutorial does, on the same batches."""
    config = project.training
    dataset = prepare(project.data, config.objective)
    torch.manual_seed(config.seed)
    module = write()
    optimizer = getattr(torch.optim, config.optimizer)(module.parameters(), **config.optimizer_options)
    criterion = nn.CrossEntropyLoss()
    losses = []
    for epoch in range(config.epochs):
        module.train()
        for batch in Batches(dataset.train, config.batch_size, shuffle=True, seed=config.seed).epoch(epoch):
            optimizer.zero_grad()
            loss = criterion(module(batch[dataset.inputs[0]]), batch[dataset.target.name])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


def test_regression_with_a_schedule_and_clipping_agrees_too():
    net = builder.Network("regression")
    x = net.add("ReLU", net.add("Linear", net.add("Input", shape=(10,)), out_features=12))
    net.add("Output", net.add("Linear", x, out_features=1))
    config = TrainingConfig(
        objective="regression",
        optimizer_options={"lr": 0.01},
        scheduler="CosineAnnealingLR",
        clip_grad_norm=0.5,
        epochs=4,
        device="cpu",
    )
    project = net.project(data=DataConfig("diabetes"), training=config)
    drawn = train(project)
    dataset = prepare(project.data, "regression")
    torch.manual_seed(config.seed)
    module = nn.Sequential(nn.Linear(10, 12), nn.ReLU(), nn.Linear(12, 1))
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    written = []
    for epoch in range(4):
        for batch in Batches(dataset.train, 32, shuffle=True, seed=0).epoch(epoch):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(module(batch[dataset.inputs[0]]), batch[dataset.target.name])
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), 0.5)
            optimizer.step()
            written.append(loss.item())
        scheduler.step()
    torch.testing.assert_close(torch.tensor(drawn), torch.tensor(written), rtol=1e-4, atol=1e-7)


def test_gathering_two_halves_moves_the_weights_like_one_whole_batch():
    net = builder.Network("plain")
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=3))
    config = TrainingConfig(
        optimizer="SGD",
        optimizer_options={"lr": 0.5},
        epochs=1,
        device="cpu",
        restore_best=False,
        batch_size=40,
        max_steps=1,
    )
    project = net.project(data=DataConfig("wine"), training=config)
    whole, halves = (
        Trainer(RunSpec(project)),
        Trainer(RunSpec(replace(project, training=replace(config, batch_size=20, accumulate=2, max_steps=2)))),
    )
    for trainer in (whole, halves):
        *_, _ = trainer
    for name, weights in whole.module.state_dict().items():
        torch.testing.assert_close(halves.module.state_dict()[name], weights, rtol=1e-5, atol=1e-6)
