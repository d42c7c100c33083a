"""Networks that give pictures back or make new ones: what they lose, and what a classifier thinks of what they make."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from figures import Row, trained
from torch import Tensor
from torch.nn import functional as F

import deepgui
from deepgui.compiler.interpret import capture
from deepgui.library import generative
from deepgui.paths import samples
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.training.trainer import Trainer

MADE = 1000
"""Examples that are made of each kind."""


def sample(name: str) -> Project:
    """A project of the gallery."""
    return deepgui.load(samples() / f"{name}.deepgui")


@cache
def run(name: str) -> Trainer:
    """A sample trained to its end, once."""
    return trained(sample(name))[0]


def autoencoder(data: Path) -> float:
    """Mean squared error on the test split over that of PCA with as many numbers."""
    metrics = trained(sample("digits_autoencoder"))[1]
    return metrics["test_mse"] / metrics["test_pca_mse"]


@torch.no_grad()
def judged(pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Features (n, 128) and probabilities (n, 10) that the digits classifier sees in pictures with values 0 to 1."""
    judge = run("digits_cnn")
    inputs = judge.dataset.normalizer["image"].transform(pictures.clamp(0, 1))
    features = capture(judge.module, [inputs], [("flatten", "output")])["flatten", "output"]
    return features, judge.module(inputs).softmax(1)


def real() -> Tensor:
    """The digits themselves."""
    whole = run("digits_cnn").dataset.whole()
    return whole.raw(torch.arange(len(whole)))["image"]


def distance(pictures: Tensor) -> float:
    """Fréchet distance between made and real digits in the classifier's features; the lower the better."""
    (a, b), (m, n) = zip(*((np.cov(f.T), f.mean(0)) for f in _features(pictures)), strict=True)
    # The trace of the root of a product of covariances is the sum of the roots of its eigenvalues.
    root = np.sqrt(np.clip(np.linalg.eigvals(a @ b).real, 0, None)).sum()
    return float(((m - n) ** 2).sum() + np.trace(a) + np.trace(b) - 2 * root)


def _features(pictures: Tensor) -> tuple[np.ndarray, np.ndarray]:
    made, true = (judged(shown)[0].double().numpy() for shown in (pictures, real()))
    return made, true


def made_by(name: str) -> Tensor:
    """New digits of a trained sample."""
    trainer = run(name)
    return trainer.objective.generate(trainer.networks, MADE, seed=0)


def classes(name: str) -> float:
    """How many of the ten digits at least one made picture in a hundred shows, the classifier being 80 % sure."""
    sure, digit = judged(made_by(name))[1].max(1)
    counts = torch.bincount(digit[sure >= 0.8], minlength=10)
    return float((counts >= MADE / 100).sum())


def vae_samples(data: Path) -> float:
    """How many nats fewer the test digits cost by the variational bound than by what the plain autoencoder makes.

    The plain one, with the same loss, makes pictures of normally distributed codes; a digit costs -log of the mean
    probability that these give it. With two numbers a code a few thousand pictures are enough for that mean.
    """
    project = sample("digits_autoencoder")
    options = {"loss": "BCEWithLogitsLoss"}
    plain = trained(replace(project, training=replace(project.training, objective_options=options)))[0]
    narrow = plain.objective.narrow(plain.networks, plain.objective.some(2))  # type: ignore[attr-defined]
    codes = torch.randn(5 * MADE, *narrow.shape, generator=torch.Generator().manual_seed(0))
    digits = plain.dataset.test.all()["image"].flatten(1)
    with torch.no_grad():
        scores = narrow.decode(plain.module, codes).flatten(1)
        # log p(x | z) of every digit and picture: x · score - softplus(score), summed over the pixels
        given = digits @ scores.T - F.softplus(scores).sum(1)
        cost = math.log(len(codes)) - given.logsumexp(1)
    return trained(sample("digits_vae"))[1]["test_loss"] - float(cost.mean())


def mnist_vae(data: Path) -> float:
    """The negative bound on the test split in nats, pixels taken as probabilities."""
    net = deepgui.Network("mnist_vae")
    x = net.add("Flatten", net.add("Input", shape=(1, 28, 28)))
    for _ in range(2):
        x = net.add("ReLU", net.add("Linear", x, out_features=400))
    mean, spread = net.add("Linear", x, out_features=20), net.add("Linear", x, out_features=20)
    x = net.add(generative.reparameterise(), mean, spread)
    for _ in range(2):
        x = net.add("ReLU", net.add("Linear", x, out_features=400))
    x = net.add("Unflatten", net.add("Linear", x, out_features=784), dim=1, unflattened_size=(1, 28, 28))
    for name, what in (("reconstruction", x), ("mean", mean), ("log_variance", spread)):
        net.add("Output", what, name=name)
    source = DataConfig("idx", {"path": str(data / "mnist")}, validation=0.05, normalize="none")
    training = TrainingConfig(objective="variational", optimizer_options={"lr": 1e-3}, epochs=20, batch_size=128)
    return trained(net.project(data=source, training=training))[1]["test_loss"]


ROWS = (
    Row("autoencoder", "digits, test MSE over PCA's of that size", 1.0, autoencoder, highest=True),
    Row("vae_samples", "digits, nats above the autoencoder's samples", 0.0, vae_samples, highest=True),
    Row("vae_mnist", "MNIST, test -ELBO in nats", 110.0, mnist_vae, highest=True),
    Row("gan", "digits, classes among the samples", 10, lambda data: classes("digits_gan")),
    Row("diffusion", "digits, classes among the samples", 10, lambda data: classes("digits_diffusion")),
    Row(
        "diffusion_against_gan",
        "digits, distance of samples over the GAN's",
        1.0,
        lambda data: distance(made_by("digits_diffusion")) / distance(made_by("digits_gan")),
        highest=True,
    ),
)
