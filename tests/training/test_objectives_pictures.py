"""Objectives over pictures: what counts, what is refused before training and mended, and what is shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deepgui import builder
from deepgui.compiler.catalogue import catalogue
from deepgui.data.batches import Batches
from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.probes.observe import preview
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training.bindings import make_objective
from deepgui.training.evaluate import evaluate
from deepgui.training.events import Failed, Finished, Scalars
from deepgui.training.objectives import segmentation
from deepgui.training.objectives.base import Networks
from deepgui.training.preflight import preflight
from deepgui.training.trainer import RunSpec, Trainer

MASKS = DataConfig("shapes", {"n": 60, "size": 16})
BOXES = DataConfig("shapes", {"n": 60, "size": 16, "task": "detection"})


def mapping(channels, stride=1, shape=(3, 16, 16), end=""):
    """Two convolutions that keep the plane, or make it smaller."""
    net = builder.Network("map")
    x = net.add("Conv2d", net.add("Input", shape=shape), out_channels=6, kernel_size=3, stride=stride, padding=1)
    x = net.add("Conv2d", net.add("ReLU", x), out_channels=channels, kernel_size=1)
    net.add("Output", net.add(end, x) if end else x)
    return net


def project(net, data, objective, options=None, **training):
    training = {"epochs": 1, "batch_size": 8, **training}
    config = TrainingConfig(objective=objective, objective_options=options or {}, device="cpu", **training)
    return net.project(data=data, training=config)


def problems(found):
    return preflight(found, "", catalogue(found.blocks))


def mended(found):
    for problem in problems(found):
        ((key, network),) = found.networks.items()
        found = replace(found, networks={key: problem.fix.apply(network)})
    return found


def trained(found):
    trainer, losses = Trainer(RunSpec(found)), []
    for event in trainer:
        assert not isinstance(event, Failed), event
        if isinstance(event, Scalars):
            losses += event.columns.get("train_loss", ())
    assert isinstance(event, Finished)
    return trainer, losses, event.metrics


def bound(found):
    dataset = prepare(found.data, found.training.objective)
    return make_objective(found, "", dataset), dataset


class Says(nn.Module):
    """Answers every batch with the next rows of what it was made with."""

    def __init__(self, answers):
        super().__init__()
        self.answers, self.first = answers, 0

    def forward(self, *inputs):
        rows = self.answers[self.first : self.first + len(inputs[0])]
        self.first += len(rows)
        return rows


def by_hand(found, make, loss_of):
    """The losses of a loop without DeepGUI."""
    dataset = prepare(found.data, found.training.objective)
    torch.manual_seed(found.training.seed)
    module = make()
    optimizer = torch.optim.Adam(module.parameters())
    kept = []
    for batch in Batches(dataset.train, 8, shuffle=True, seed=found.training.seed).epoch(0):
        optimizer.zero_grad()
        loss = loss_of(module, batch)
        loss.backward()
        optimizer.step()
        kept.append(loss.item())
    return kept


def twin(channels, stride=1):
    first = nn.Conv2d(3, 6, 3, stride=stride, padding=1)
    return nn.Sequential(first, nn.ReLU(), nn.Conv2d(6, channels, 1))


# -- segmentation


def test_segmentation_trains_as_a_loop_written_by_hand():
    found = project(mapping(4), MASKS, "segmentation")
    assert problems(found) == ()

    def loss(module, batch):
        return F.cross_entropy(module(batch["image"]), batch["classmap"])

    assert trained(found)[1] == pytest.approx(by_hand(found, lambda: twin(4), loss), rel=1e-5)


def test_a_map_that_does_not_fit_is_found_before_training_and_mended():
    found = project(mapping(7, stride=2), MASKS, "segmentation")
    size, classes = problems(found)
    assert (size.code, classes.code) == ("output-size", "output-classes")
    assert size.message.endswith("has 16×16 pixels, but the Output receives 8×8 of them.")
    assert classes.fix.label == "Set out_channels of conv2d_2 to 4"
    assert problems(mended(found)) == ()


def test_one_answer_for_a_whole_picture_is_no_map():
    net = builder.Network("flat")
    net.add("Output", net.add("Linear", net.add("Flatten", net.add("Input", shape=(3, 16, 16))), out_features=4))
    (found,) = problems(project(net, MASKS, "segmentation"))
    assert "needs a map of scores: N×4×16×16" in found.message


def test_classification_of_maps_and_boxes_names_what_learns_them():
    for data, name in ((MASKS, "segmentation"), (BOXES, "detection")):
        with pytest.raises(DataError, match=f"choose {name}"):
            prepare(data, "classification")


def test_pixels_without_a_class_do_not_count():
    objective, dataset = bound(project(mapping(4), MASKS, "segmentation", {"dice": 1.0, "class_weights": True}))
    batch = {**dataset.train.get(torch.arange(4))}
    truth = batch["classmap"].clone()
    scores = torch.randn(4, 4, 16, 16)
    batch["classmap"] = truth.clone()
    batch["classmap"][:, 8:] = -100
    changed = scores.clone()
    changed[:, :, 8:] += 5.0 * torch.randn(4, 4, 8, 16)
    losses = [objective.loss(Networks({"network": Says(s)}), batch).loss for s in (scores, changed)]
    assert losses[0] == pytest.approx(float(losses[1]), rel=1e-6)
    weight = objective.weights
    wanted = F.cross_entropy(scores, batch["classmap"], weight) + segmentation.dice_loss(scores, batch["classmap"])
    assert losses[0] == pytest.approx(float(wanted), rel=1e-5)
    batch["classmap"][:] = -100
    assert float(objective.loss(Networks({"network": Says(scores)}), batch).loss) == 0.0


def test_areas_are_measured_over_the_whole_split():
    objective, dataset = bound(project(mapping(4), MASKS, "segmentation"))
    truth = dataset.validation.all()["classmap"]
    perfect = evaluate(Says(9.0 * F.one_hot(truth, 4).movedim(-1, 1).float()), dataset, "validation", objective)
    assert perfect.metrics["mean_iou"] == perfect.metrics["accuracy"] == 1.0
    nothing = F.one_hot(torch.zeros_like(truth), 4).movedim(-1, 1).float()
    background = (truth == 0).float().mean()
    found = evaluate(Says(nothing), dataset, "validation", objective)
    assert found.metrics["accuracy"] == pytest.approx(float(background))
    assert found.metrics["mean_iou"] == pytest.approx(float(background) / 4)
    assert found.confusion.sum() == truth.numel()


def test_masks_are_shown_beside_the_truth():
    trainer, _, metrics = trained(project(mapping(4), MASKS, "segmentation"))
    assert {"val_mean_iou", "test_mean_iou", "train_accuracy"} <= metrics.keys()
    found = preview(trainer.objective, trainer.networks, "masks")
    assert found.said.shape == found.true.shape == (8, 16, 16)
    assert found.images.shape == (8, 3, 16, 16)
    assert found.images.min() >= 0
    assert found.images.max() <= 1
