"""Objectives over pictures: what counts, what is refused before training and mended, and what is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
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
from deepgui.training.evaluate import evaluate, load_trained
from deepgui.training.events import Failed, Finished, Scalars
from deepgui.training.objectives import boxes, detection, segmentation
from deepgui.training.objectives.base import Networks
from deepgui.training.preflight import preflight
from deepgui.training.store import RunStore
from deepgui.training.trainer import RunSpec, Trainer
from deepgui.use import asking, model

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


# -- detection


def test_detection_trains_as_a_loop_written_by_hand():
    found = project(mapping(8, stride=2), BOXES, "detection", {"box_loss": "L1"})
    assert problems(found) == ()
    cells = torch.arange(8) / 8

    def loss(module, batch):
        output, total, there = module(batch["image"]), 0.0, torch.zeros(len(batch["image"]), 8, 8)
        for picture, true in enumerate(batch["boxes"]):
            for kind, x, y, w, h in true[true[:, 0] >= 0].tolist():
                row, column = int(y * 8), int(x * 8)
                there[picture, row, column] = 1
                cell = output[picture, :, row, column]
                place = torch.stack((cells[column], cells[row]))
                said = torch.cat((place + cell[1:3].sigmoid() / 8, cell[3:5].sigmoid()))
                total = total + 5.0 * (said - torch.tensor([x, y, w, h])).abs().sum()
                total = total + F.cross_entropy(cell[5:], torch.tensor(int(kind)))
        sure = F.binary_cross_entropy_with_logits(output[:, 0], there, reduction="none")
        return (total + sure[there == 1].sum() + 0.5 * sure[there == 0].sum()) / there.sum()

    assert trained(found)[1] == pytest.approx(by_hand(found, lambda: twin(8, 2), loss), rel=1e-4)


def perfect_map(true, size, classes):
    """The map of a network that knows where the boxes are."""
    output = torch.full((len(true), 5 + classes, size, size), -9.0)
    at = detection.assign(true, size, size)
    output[at.picture, 0, at.row, at.column] = 9.0
    x, y, width, height = at.box.unbind(1)
    inside = torch.stack((x * size - at.column, y * size - at.row, width, height), 1)
    output[at.picture, 1:5, at.row, at.column] = torch.logit(inside, eps=1e-4)
    output[at.picture, 5 + at.kind, at.row, at.column] = 9.0
    return output


@pytest.mark.parametrize("size", [8, 13])
def test_a_network_that_knows_finds_all_boxes(size):
    objective, dataset = bound(project(mapping(8), BOXES, "detection"))
    true = dataset.validation.all()["boxes"]
    output = perfect_map(true, size, 3)
    found = evaluate(Says(output), dataset, "validation", objective)
    assert found.metrics["map50"] == pytest.approx(1.0)
    assert found.metrics["box"] < 0.01
    said = objective.found(output, 0.5)
    assert [len(rows) for rows in said] == (true[..., 0] >= 0).sum(1).tolist()


def test_of_several_boxes_in_a_cell_the_smallest_is_learnt():
    rows = [[2, 0.5, 0.5, 0.9, 0.9], [1, 0.52, 0.52, 0.1, 0.2], [0, 0.9, 0.1, 0.1, 0.1], [-1, 0, 0, 0, 0]]
    at = detection.assign(torch.tensor([rows]), 4, 4)
    assert sorted(zip(at.row.tolist(), at.column.tolist(), at.kind.tolist(), strict=True)) == [(0, 3, 0), (2, 2, 1)]


def test_the_surest_of_boxes_that_overlap_is_left():
    box = torch.tensor([[0.5, 0.5, 0.4, 0.4], [0.52, 0.5, 0.4, 0.4], [0.54, 0.5, 0.4, 0.4], [0.1, 0.1, 0.1, 0.1]])
    classes = torch.tensor([[0, 0, 1, 0]])
    scores = torch.tensor([[0.9, 0.8, 0.7, 0.6]])
    assert boxes.suppressed(box[None], scores, classes, 0.5).tolist() == [[False, True, False, False]]


def test_overlap_of_boxes_and_what_lies_between_them():
    one = torch.tensor([[0.25, 0.5, 0.5, 1.0]])
    assert float(boxes.generalized_iou(one, one)) == pytest.approx(1.0)
    assert float(boxes.generalized_iou(one, torch.tensor([[0.5, 0.5, 1.0, 1.0]]))) == pytest.approx(0.5)
    apart = float(boxes.generalized_iou(one, torch.tensor([[1.25, 0.5, 0.5, 1.0]])))
    assert apart == pytest.approx(-1 / 3)  # a third of the hull is in neither


def test_average_precision_counts_what_is_missed_and_what_is_found_twice():
    right = torch.tensor([True, False, True])
    assert boxes.precision_area(torch.tensor([0.9, 0.8, 0.7]), right, 3) == pytest.approx(1 / 3 + 2 / 3 / 3)
    found = boxes.Found(2)
    true = torch.tensor([[0, 0.5, 0.5, 0.2, 0.2], [0, 0.2, 0.2, 0.1, 0.1]])
    hit = [0, 0.5, 0.5, 0.2, 0.2]
    found.add(torch.tensor([[*hit, 0.8], [*hit, 0.9], [1, 0.2, 0.2, 0.1, 0.1, 0.7]]), true)
    precision = found.average_precision()
    assert float(precision[0]) == pytest.approx(0.5)
    assert bool(precision[1].isnan())
    assert found.seen[0][2].tolist() == [True, False, False]


def test_a_grid_that_does_not_fit_is_found_before_training():
    (channels,) = problems(project(mapping(7, stride=2), BOXES, "detection"))
    assert channels.fix.label == "Set out_channels of conv2d_2 to 8"
    assert problems(mended(project(mapping(7, stride=2), BOXES, "detection"))) == ()
    net = builder.Network("coarse")
    x = net.add("MaxPool2d", net.add("Input", shape=(3, 16, 16)), kernel_size=16)
    net.add("Output", net.add("Conv2d", x, out_channels=8, kernel_size=1))
    (crowd,) = problems(project(net, BOXES, "detection"))
    assert crowd.severity == "warning"
    assert crowd.message.startswith("In a grid of 1×1 cells ")
    net = builder.Network("flat")
    net.add("Output", net.add("Linear", net.add("Flatten", net.add("Input", shape=(3, 16, 16))), out_features=8))
    (found,) = problems(project(net, BOXES, "detection"))
    assert "needs a map of scores: N×8×rows×columns" in found.message


def test_pictures_without_anything_are_learnt_from_and_judged():
    objective, dataset = bound(project(mapping(8), BOXES, "detection"))
    batch = {**dataset.train.get(torch.arange(3))}
    batch["boxes"] = torch.zeros_like(batch["boxes"]) - 1
    networks = Networks({"network": Says(torch.randn(3, 8, 4, 4, generator=torch.Generator().manual_seed(0)))})
    assert torch.isfinite(objective.loss(networks, batch).loss)
    found = boxes.Found(3)
    found.add(torch.zeros(0, 6), torch.zeros(0, 5))
    assert bool(found.average_precision().isnan().all())


def test_boxes_are_shown_beside_the_truth():
    trainer, _, metrics = trained(project(mapping(8, stride=2), BOXES, "detection", {"confidence": 0.01}))
    assert {"val_map50", "test_map50", "train_box", "train_class", "train_objectness"} <= metrics.keys()
    found = preview(trainer.objective, trainer.networks, "boxes")
    truth = trainer.dataset.validation.all()["boxes"][: len(found.true)]
    assert [len(rows) for rows in found.true] == (truth[..., 0] >= 0).sum(1).tolist()
    assert all(rows.shape[1] == 6 for rows in (*found.said, *found.true))


# -- contrastive


def encoder(head=True, shape=(1, 8, 8)):
    """A convolution to a representation of 48 numbers, and a projection head."""
    net = builder.Network("encoder")
    x = net.add("ReLU", net.add("Conv2d", net.add("Input", shape=shape), out_channels=3, kernel_size=5))
    x = net.add("Flatten", x, name="features")
    if head:
        x = net.add("Linear", net.add("ReLU", net.add("Linear", x, out_features=16)), out_features=8)
    net.add("Output", x)
    return net


def contrast(**options):
    return project(encoder(), DataConfig("digits"), "contrastive", options, batch_size=128)


def test_contrastive_trains_as_a_loop_written_by_hand():
    found = contrast(temperature=0.2)
    assert problems(found) == ()
    objective, dataset = bound(found)
    torch.manual_seed(found.training.seed)
    layers = [nn.Conv2d(1, 3, 5), nn.ReLU(), nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, 8)]
    module, kept = nn.Sequential(*layers), []
    optimizer = torch.optim.Adam(module.parameters())
    for batch in Batches(dataset.train, 128, shuffle=True, seed=found.training.seed).epoch(0):
        one, other = objective.views(batch)[0].chunk(2)
        a, b = F.normalize(module(one)), F.normalize(module(other))
        loss = 0.0
        for first, second in ((a, b), (b, a)):
            others = torch.cat((first @ second.T, (first @ first.T).fill_diagonal_(-1e9)), 1) / 0.2
            loss = loss + F.cross_entropy(others, torch.arange(len(first))) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        kept.append(loss.item())
    assert trained(found)[1] == pytest.approx(kept, rel=1e-4)


@pytest.mark.parametrize(("head", "named", "size"), [(True, "", 48), (False, "", 48), (True, "linear", 16)])
def test_representations_are_what_goes_into_the_head_or_what_is_named(head, named, size):
    found = project(encoder(head), DataConfig("digits"), "contrastive", {"representation": named}, max_steps=1)
    trainer, *_ = trained(found)
    batch = trainer.dataset.validation.get(torch.arange(5))
    with torch.no_grad():
        assert trainer.objective.represented(trainer.networks, batch).flatten(1).shape == (5, size)


def test_representations_are_judged_against_pixels_and_shown():
    trainer, _, metrics = trained(contrast())
    assert {"val_accuracy", "val_probe_accuracy", "test_probe_accuracy"} <= metrics.keys()
    assert metrics["val_pixels_accuracy"] > 0.9  # what logistic regression gets right on these digits
    space = preview(trainer.objective, trainer.networks, "space")
    assert space.points.shape == (len(space.labels), 2)
    assert set(space.labels.tolist()) == set(range(10))
    views = preview(trainer.objective, trainer.networks, "views")
    assert views.rows == ("picture", "one view", "other view")
    first, one, other = views.images.reshape(3, 8, -1)
    assert abs(first - one).max() > 0.1
    assert abs(one - other).max() > 0.1


def test_views_that_are_the_same_and_data_without_pictures_are_refused():
    same = dict.fromkeys(("crop", "rotation", "zoom", "contrast", "noise"), 0)
    (found,) = problems(contrast(**same))
    assert found.message.startswith("Both views of a picture are the same")
    (found,) = problems(contrast(representation="nowhere"))
    assert found.message.startswith("There is no node nowhere")
    net = builder.Network("vector")
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=8))
    (found,) = problems(project(net, DataConfig("wine"), "contrastive"))
    assert "learns from views of pictures, but" in found.message


# -- distillation


def small(features=10, shape=(1, 8, 8)):
    net = builder.Network("small")
    net.add("Output", net.add("Linear", net.add("Flatten", net.add("Input", shape=shape)), out_features=features))
    return net


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A trained run, by other scales than those of its pupils."""
    data = DataConfig("digits", normalize="minmax")
    found = project(small(), data, "classification", epochs=3, batch_size=64)
    folder = RunStore(tmp_path_factory.mktemp("runs")).create(found)
    assert isinstance([*Trainer(RunSpec(found, folder=folder))][-1], Finished)
    return folder


def test_distillation_trains_as_a_loop_written_by_hand(teacher):
    options = {"teacher": str(teacher), "temperature": 3.0, "alpha": 0.6}
    found = project(small(), DataConfig("digits"), "distillation", options)
    assert problems(found) == ()
    known = load_trained(teacher)
    ours = prepare(found.data, "distillation").normalizer["image"]

    def loss(module, batch):
        output = module(batch["image"])
        with torch.no_grad():
            wanted = known.module(known.legend.normalizer["image"].transform(ours.inverse(batch["image"])))
        p, q = (wanted / 3).softmax(1), (output / 3).log_softmax(1)
        soft = 9 * (p * (p.log() - q)).sum(1).mean()
        return 0.6 * soft + 0.4 * F.cross_entropy(output, batch["label"])

    trainer, losses, metrics = trained(found)
    hand = by_hand(found, lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), loss)
    assert losses[:50] == pytest.approx(hand[:50], rel=1e-4)
    assert {"train_teacher", "train_truth", "train_accuracy", "test_accuracy"} <= metrics.keys()
    after = trainer.objective.teacher._module.state_dict()
    assert all(torch.equal(values, after[name]) for name, values in known.module.state_dict().items())


@pytest.mark.parametrize(
    ("data", "shape", "classes", "said"),
    [
        (DataConfig("digits", {"only": "01234"}), (1, 8, 8), 5, "The teacher knows other classes (0, 1, 2, 3, ...)"),
        (DataConfig("wine"), (13,), 3, "The teacher takes image (1×8×8), but the data has"),
    ],
)
def test_a_teacher_of_other_things_is_refused(teacher, data, shape, classes, said):
    (found,) = problems(project(small(classes, shape), data, "distillation", {"teacher": str(teacher)}))
    assert found.message.startswith(said)


def test_a_teacher_that_is_not_there_is_refused(tmp_path):
    (found,) = problems(project(small(), DataConfig("digits"), "distillation"))
    assert found.message == "Distillation needs a teacher: set teacher to the folder of a run."
    gone = project(small(), DataConfig("digits"), "distillation", {"teacher": str(tmp_path / "gone")})
    (found,) = problems(gone)
    assert found.message.startswith("The teacher cannot be used: ")
    *_, last = Trainer(RunSpec(gone))
    assert isinstance(last, Failed)
    assert "The teacher cannot be used" in last.message


def test_a_pupil_is_judged_without_its_teacher(teacher):
    objective, dataset = bound(project(small(), DataConfig("digits"), "distillation", {"teacher": "gone"}))
    truth = dataset.validation.all()["label"]
    found = evaluate(Says(9.0 * F.one_hot(truth, 10).float()), dataset, "validation", objective)
    assert found.metrics["accuracy"] == 1.0


# -- several labels


@pytest.fixture
def labelled(tmp_path):
    """Vectors of three numbers; a label for each that is above its bound."""
    values = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    np.savez(tmp_path / "several.npz", x=values, y=(values > [0.0, 0.5, -0.5]).astype(np.int64))
    return DataConfig("numpy", {"path": str(tmp_path / "several.npz")})


def linear(features, end=""):
    net = builder.Network("labels")
    x = net.add("Linear", net.add("Input", shape=(3,)), out_features=features)
    net.add("Output", net.add(end, x) if end else x)
    return net


def test_several_labels_train_as_a_loop_written_by_hand(labelled):
    found = project(linear(3), labelled, "classification", {"class_weights": True})
    assert problems(found) == ()
    labels = prepare(labelled, "classification").train.all()["labels"]
    weight = (1 - labels).sum(0) / labels.sum(0)

    def loss(module, batch):
        return F.binary_cross_entropy_with_logits(module(batch["features"]), batch["labels"], pos_weight=weight)

    assert trained(found)[1] == pytest.approx(by_hand(found, lambda: nn.Linear(3, 3), loss), rel=1e-5)


def test_each_label_is_judged_by_itself(labelled):
    objective, dataset = bound(project(linear(3), labelled, "classification"))
    truth = dataset.validation.all()["labels"]
    scores = 2 * truth - 1
    scores[:, 1] = -1.0  # never says the second one
    found = evaluate(Says(scores), dataset, "validation", objective).metrics
    assert found["f1_0"] == found["f1_2"] == 1.0
    assert found["f1_1"] == 0.0
    assert found["f1"] == pytest.approx(2 / 3)
    share = truth[:, 1].mean()
    assert found["accuracy"] == pytest.approx(1 - float(share) / 3)
    assert 2 / 3 < found["map"] < 1


def test_labels_need_a_score_each_without_an_activation(labelled):
    (found,) = problems(project(linear(5), labelled, "classification"))
    assert found.message.endswith("labels has 3 labels, but the Output receives N×5: it needs one score a label.")
    assert problems(mended(project(linear(5), labelled, "classification"))) == ()
    (found,) = problems(project(linear(3, "Sigmoid"), labelled, "classification"))
    assert found.code == "extra-activation"


def test_a_trained_encoder_answers_with_an_embedding(tmp_path):
    found = project(encoder(), DataConfig("digits"), "contrastive", batch_size=128, max_steps=2)
    folder = RunStore(tmp_path).create(found)
    trainer = Trainer(RunSpec(found, folder=folder))
    assert isinstance([*trainer][-1], Finished)
    raw = trainer.dataset.test.raw(torch.arange(3))
    answers = asking.predict(model.of_run(load_trained(folder)), raw)
    assert [len(answer.values) for answer in answers] == [8, 8, 8]
