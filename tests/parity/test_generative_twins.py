"""The samples that give pictures back or make new ones, beside the same written by hand: the same losses."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import deepgui
from deepgui import paths
from deepgui.data.batches import Batches
from deepgui.data.dataset import prepare
from deepgui.training.events import Failed, Scalars
from deepgui.training.trainer import RunSpec, Trainer

STEPS = 50


def drawn(name, **options):
    """The losses of a sample's first steps, by curve, and the sample itself."""
    project = deepgui.load(paths.samples() / f"{name}.deepgui")
    options = {**project.training.objective_options, **options}
    project = replace(
        project, training=replace(project.training, objective_options=options, max_steps=STEPS, device="cpu")
    )
    curves: dict[str, list[float]] = {}
    for event in Trainer(RunSpec(project)):
        assert not isinstance(event, Failed), event
        if isinstance(event, Scalars):
            for column, values in event.columns.items():
                if event.steps[-1] <= STEPS and not column.endswith("_epoch"):
                    curves.setdefault(column, []).extend(values)
    return curves, project


def batches(project):
    """The pictures that the training sees, batch by batch."""
    config = project.training
    dataset = prepare(project.data, config.objective)
    found = Batches(dataset.train, config.batch_size, shuffle=True, seed=config.seed)
    pictures = (batch["image"] for epoch in range(config.epochs) for batch in found.epoch(epoch))
    return [next(pictures) for _ in range(STEPS)], len(found)


def agree(curve, written):
    assert len(curve) == len(written) == STEPS
    torch.testing.assert_close(torch.tensor(curve), torch.tensor(written), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(torch.tensor(curve[:3]), torch.tensor(written[:3]), rtol=1e-6, atol=1e-7)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 2))
        self.decode = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, x):
        return self.decode(self.encode(x.flatten(1))).view_as(x)


def one_cycle(optimizer, lr, project, per_epoch):
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, min(STEPS, project.training.epochs * per_epoch))


@pytest.mark.parametrize("noise", ["none", "gaussian", "mask"])
def test_autoencoder(noise):
    curves, project = drawn("digits_autoencoder", noise=noise, noise_level=0.3)
    pictures, per_epoch = batches(project)
    torch.manual_seed(project.training.seed)
    model = Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = one_cycle(optimizer, 2e-3, project, per_epoch)
    written = []
    for x in pictures:
        given = x
        if noise == "gaussian":
            given = x + 0.3 * torch.randn_like(x)
        elif noise == "mask":
            given = x * (torch.rand_like(x) >= 0.3)
        loss = F.mse_loss(model(given), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        written.append(loss.item())
    agree(curves["train_loss"], written)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Linear(64, 128)
        self.mean, self.log_variance = nn.Linear(128, 2), nn.Linear(128, 2)
        self.decode = nn.Sequential(nn.Linear(2, 128), nn.ReLU(), nn.Linear(128, 64))

    def forward(self, x):
        hidden = F.relu(self.encode(x.flatten(1)))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decode(z).view_as(x), mean, log_variance


@pytest.mark.parametrize(("loss_name", "beta"), [("BCEWithLogitsLoss", 1.0), ("MSELoss", 4.0)])
def test_variational_autoencoder(loss_name, beta):
    curves, project = drawn("digits_vae", loss=loss_name, beta=beta)
    pictures, _ = batches(project)
    torch.manual_seed(project.training.seed)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    written, divergences = [], []
    for x in pictures:
        said, mean, log_variance = model(x)
        if loss_name == "MSELoss":
            cost = F.mse_loss(said, x, reduction="sum") / 2 + x.numel() * math.log(2 * math.pi) / 2
        else:
            cost = F.binary_cross_entropy_with_logits(said, x, reduction="sum")
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        loss = (cost + beta * divergence) / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        written.append(loss.item())
        divergences.append(divergence.item() / len(x))
    agree(curves["train_loss"], written)
    torch.testing.assert_close(torch.tensor(curves["train_kl"]), torch.tensor(divergences), rtol=1e-3, atol=1e-5)


def generator():
    return nn.Sequential(
        nn.Linear(32, 256),
        nn.Unflatten(1, (64, 2, 2)),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 4, 2, 1),
        nn.Sigmoid(),
    )


def discriminator():
    return nn.Sequential(
        nn.Conv2d(1, 32, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2),
        nn.Flatten(),
        nn.Linear(256, 1),
    )


def tells(kind, judge, real, made):
    """The discriminator's loss as the papers have it."""
    said, of_made = judge(real), judge(made)
    if kind == "standard":
        criterion = nn.BCEWithLogitsLoss()
        return criterion(said, torch.ones_like(said)) + criterion(of_made, torch.zeros_like(of_made))
    if kind == "hinge":
        return torch.clamp(1 - said, min=0).mean() + torch.clamp(1 + of_made, min=0).mean()
    share = torch.rand(len(real), 1, 1, 1)
    between = (share * real + (1 - share) * made).requires_grad_(True)
    slope = torch.autograd.grad(judge(between).sum(), between, create_graph=True)[0]
    penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
    return of_made.mean() - said.mean() + 10 * penalty


@pytest.mark.parametrize(("kind", "critic_steps"), [("standard", 1), ("hinge", 2), ("wasserstein", 3)])
def test_adversarial(kind, critic_steps):
    curves, project = drawn("digits_gan", loss=kind, critic_steps=critic_steps, discriminator_lr=5e-4)
    pictures, _ = batches(project)
    torch.manual_seed(project.training.seed)
    make, judge = generator(), discriminator()
    of_maker = torch.optim.Adam(make.parameters(), lr=1e-3, betas=(0.5, 0.999))
    of_judge = torch.optim.Adam(judge.parameters(), lr=5e-4, betas=(0.5, 0.999))
    written, fooled = [], []
    for step, real in enumerate(pictures):
        with torch.no_grad():
            made = make(torch.randn(len(real), 32))
        of_judge.zero_grad()
        loss = tells(kind, judge, real, made)
        loss.backward()
        of_judge.step()
        written.append(loss.item())
        if step % critic_steps == 0:
            of_maker.zero_grad()
            said = judge(make(torch.randn(len(real), 32)))
            other = nn.BCEWithLogitsLoss()(said, torch.ones_like(said)) if kind == "standard" else -said.mean()
            other.backward()
            of_maker.step()
            fooled.append(other.item())
    agree(curves["train_loss"], written)
    torch.testing.assert_close(torch.tensor(curves["train_generator_loss"]), torch.tensor(fooled), rtol=1e-4, atol=1e-4)


class Unit(nn.Module):
    def __init__(self, inside, outside, time):
        super().__init__()
        self.norm1 = nn.GroupNorm(4, inside, eps=1e-6)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.time = nn.Linear(time, outside)
        self.norm2 = nn.GroupNorm(4, outside, eps=1e-6)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.shortcut = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x, time):
        y = self.conv1(F.silu(self.norm1(x))) + self.time(F.silu(time))[:, :, None, None]
        return self.conv2(F.silu(self.norm2(y))) + self.shortcut(x)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Sequential(nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 32))
        self.conv_in = nn.Conv2d(1, 16, 3, padding=1)
        self.down1 = Unit(16, 16, 32)
        self.halve = nn.Conv2d(16, 16, 3, stride=2, padding=1)
        self.down2, self.middle = Unit(16, 32, 32), Unit(32, 32, 32)
        self.upsample = nn.Conv2d(32, 16, 3, padding=1)
        self.up1 = Unit(32, 16, 32)
        self.norm = nn.GroupNorm(4, 16)
        self.conv_out = nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x, step):
        wave = torch.exp(torch.arange(16) * -math.log(10_000) / 15)
        time = self.time(torch.cat((torch.sin(step * wave), torch.cos(step * wave)), 1))
        wide = self.down1(self.conv_in(x), time)
        x = self.middle(self.down2(self.halve(wide), time), time)
        x = self.upsample(F.interpolate(x, scale_factor=2.0))
        x = self.up1(torch.cat((wide, x), 1), time)
        return self.conv_out(F.silu(self.norm(x)))


def kept_by_hand(schedule, steps):
    if schedule == "linear":
        return torch.cumprod(1 - torch.linspace(1e-4 * 1000 / steps, 0.02 * 1000 / steps, steps), 0)
    level = [math.cos((t / steps + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(steps + 1)]
    betas = [min(1 - b / a, 0.999) for a, b in pairwise(level)]
    return torch.cumprod(1 - torch.tensor(betas), 0)


@pytest.mark.parametrize(("schedule", "prediction"), [("cosine", "noise"), ("linear", "v"), ("cosine", "sample")])
def test_diffusion(schedule, prediction):
    curves, project = drawn("digits_diffusion", schedule=schedule, prediction=prediction)
    pictures, per_epoch = batches(project)
    kept = kept_by_hand(schedule, 200)
    torch.manual_seed(project.training.seed)
    model = UNet()
    lr = project.training.optimizer_options["lr"]
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = one_cycle(optimizer, lr, project, per_epoch)
    written = []
    for x in pictures:
        step = torch.randint(200, (len(x),))
        noise = torch.randn_like(x)
        signal, spread = kept[step].sqrt().view(-1, 1, 1, 1), (1 - kept[step]).sqrt().view(-1, 1, 1, 1)
        said = model(signal * x + spread * noise, step.float()[:, None])
        wanted = {"noise": noise, "sample": x, "v": signal * noise - spread * x}[prediction]
        loss = F.mse_loss(said, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        written.append(loss.item())
    agree(curves["train_loss"], written)
