"""Networks over sequences: forecasts, names, gestures, text and dates."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

import torch
from figures import Row, trained
from torch import nn

import deepgui
from deepgui.data.batches import Batches
from deepgui.data.dataset import prepare
from deepgui.library.attention import gpt2_layer
from deepgui.library.positions import learned_positions
from deepgui.paths import samples
from deepgui.project.values import DataConfig, LayerTraining, Project, TrainingConfig


def airline(data: Path) -> float:
    """RMSE of next month's passengers (thousands) on the last third, mean of three seeds."""
    net = deepgui.Network("airline")
    x = net.add("Input", shape=(12, 1))
    x = net.add("LSTM", x, hidden_size=32)["output"]
    net.add("Output", net.add("Linear", net.add("select", x, dim=1, index=-1), out_features=1))
    options = {"path": str(data / "timeseries" / "airline-passengers.csv"), "window": 12, "difference": True}
    source = DataConfig("series", options, validation=0.0, test=0.33)
    found = []
    for seed in range(3):
        training = TrainingConfig(
            objective="regression",
            optimizer_options={"lr": 5e-3},
            epochs=300,
            batch_size=16,
            seed=seed,
            restore_best=False,
        )
        found.append(trained(net.project(data=source, training=training))[1]["test_rmse"])
    return statistics.mean(found)


def gun_point(data: Path) -> float:
    """Test accuracy on GunPoint's own test split, mean of three seeds: a convolutional network over time."""
    net = deepgui.Network("gun_point")
    x = net.add("permute", net.add("Input", shape=(150, 1)), dims=(0, 2, 1))
    for channels, kernel in ((32, 9), (64, 5), (64, 3)):
        x = net.add("Conv1d", x, out_channels=channels, kernel_size=kernel, padding="same", bias=False)
        x = net.add("ReLU", net.add("BatchNorm1d", x))
    net.add("Output", net.add("Linear", net.add("mean", x, dim=2), out_features=2))
    source = DataConfig("ucr", {"path": str(data / "ucr" / "GunPoint")}, validation=0.0)
    found = []
    for seed in range(3):
        training = TrainingConfig(
            optimizer_options={"lr": 2e-3},
            scheduler="OneCycleLR",
            epochs=150,
            batch_size=10,
            seed=seed,
            restore_best=False,
        )
        found.append(trained(net.project(data=source, training=training))[1]["test_accuracy"])
    return statistics.mean(found)


def surnames_project(data: Path) -> Project:
    """A GRU over the letters of a surname, the strongest answer over time, 18 languages."""
    source = DataConfig("sentences", {"path": str(data / "surnames-language" / "data" / "names")})
    if not Path(str(source.options["path"])).is_dir():
        source = replace(source, options={"path": str(data / "surnames-language" / "data")})
    dataset = prepare(source, "classification")
    tokens = dataset.field("tokens")
    net = deepgui.Network("surnames")
    x = net.add("Input", shape=tokens.shape, dtype="int64")
    padding = net.add("Input", shape=tokens.shape, dtype="bool")
    x = net.add("Embedding", x, num_embeddings=len(tokens.classes), embedding_dim=32, padding_idx=0)
    x = net.add("GRU", x, hidden_size=96, bidirectional=True)["output"]
    x = net.add("masked_fill", x, net.add("unsqueeze", padding, dim=-1), value=-1.0)
    net.add("Output", net.add("Linear", net.add("amax", x, dim=1), out_features=len(dataset.target.classes)))
    training = TrainingConfig(optimizer_options={"lr": 3e-3}, scheduler="OneCycleLR", epochs=8, batch_size=64)
    return net.project(data=source, training=training)


class _Surnames(nn.Module):
    """The same network written by hand."""

    def __init__(self, letters: int, languages: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, 32, padding_idx=0)
        self.gru = nn.GRU(32, 96, bidirectional=True, batch_first=True)
        self.scores = nn.Linear(192, languages)

    def forward(self, tokens: torch.Tensor, padding: torch.Tensor) -> torch.Tensor:
        x, _ = self.gru(self.letters(tokens))
        return self.scores(x.masked_fill(padding[..., None], -1.0).amax(1))  # type: ignore[no-any-return]


def surnames(data: Path) -> float:
    """Test accuracy less that of a plain PyTorch twin with the same settings and batches."""
    project = surnames_project(data)
    config = replace(project.training, restore_best=False)
    ours = trained(replace(project, training=config))[1]["test_accuracy"]
    dataset = prepare(project.data, "classification")
    torch.manual_seed(config.seed)
    twin = _Surnames(len(dataset.field("tokens").classes), len(dataset.target.classes))
    optimizer = torch.optim.Adam(twin.parameters(), lr=3e-3)
    batches = Batches(dataset.train, config.batch_size, shuffle=True, seed=config.seed)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=config.epochs * len(batches))
    for epoch in range(config.epochs):
        for batch in batches.epoch(epoch):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(twin(batch["tokens"], batch["padding"]), batch[dataset.target.name])
            loss.backward()
            optimizer.step()
            schedule.step()
    test = dataset.test.all()
    with torch.no_grad():
        right = twin(test["tokens"], test["padding"]).argmax(1) == test[dataset.target.name]
    return ours - float(right.float().mean())


def shakespeare(data: Path) -> float:
    """Validation loss of nanoGPT's CPU setting: 4 layers, 4 heads, 128 wide, context 64, batch 12, 2,000 steps."""
    net = deepgui.Network("shakespeare")
    x = net.add("Input", shape=(64,), dtype="int64")
    x = net.add("Embedding", x, num_embeddings=65, embedding_dim=128)
    x = net.add(learned_positions(), x, length=64)
    x = net.add(gpt2_layer(), x, num_heads=4, dropout=0.0, repeat=4)
    net.add("Output", net.add("Linear", net.add("LayerNorm", x), out_features=65, bias=False))
    options = {"path": str(data / "tinyshakespeare" / "input.txt"), "context": 64, "stride": 1}
    small = LayerTraining(init="normal_", init_options={"std": 0.02})
    training = TrainingConfig(
        objective="next_token",
        optimizer="AdamW",
        optimizer_options={"lr": 1e-3, "betas": (0.9, 0.99), "weight_decay": 0.1},
        scheduler="CosineAnnealingLR",
        scheduler_options={"eta_min": 1e-4},
        warmup_steps=100,
        layers={"embedding": small, "linear": small},
        clip_grad_norm=1.0,
        batch_size=12,
        epochs=1,
        max_steps=2000,
    )
    project = net.project(data=DataConfig("text", options, validation=0.1, test=0.0), training=training)
    return trained(project)[1]["val_loss"]


def dates(data: Path) -> float:
    """Exact match of the sample date_translation on its test split, trained for longer."""
    project = deepgui.load(samples() / "date_translation.deepgui")
    return trained(replace(project, training=replace(project.training, epochs=40)))[1]["test_exact_match"]


ROWS = (
    Row("airline", "airline passengers, test RMSE, three seeds", 47.5, airline, highest=True),
    Row("gun_point", "GunPoint, test accuracy, three seeds", 0.95, gun_point),
    Row("surnames", "surnames, accuracy less a plain twin's", -0.01, surnames),
    Row("shakespeare", "tinyshakespeare, validation loss", 1.88, shakespeare, highest=True),
    Row("dates", "date_translation, exact match", 0.99, dates),
)
