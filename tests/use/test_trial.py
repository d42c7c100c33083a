"""What can be tried on a network, and how drawings are brought into the form of the data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from deepgui import builder, load
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.data.dataset import prepare
from deepgui.paths import samples
from deepgui.project.values import DataConfig, TrainingConfig, main_key
from deepgui.training.bindings import make_objective, roles
from deepgui.training.objectives.base import Networks
from deepgui.use import answers, asking, making, trial, writing
from deepgui.use.model import of_training


def model_of(project):
    key = main_key(project)
    dataset = prepare(project.data, project.training.objective)
    torch.manual_seed(0)
    modules = {
        role: build(project.networks[own], catalogue(project.blocks)) for role, own in roles(project, key).items()
    }
    return of_training(make_objective(project, key, dataset), Networks(modules), project.data)


def sample(name):
    return model_of(load(samples() / f"{name}.deepgui"))


@pytest.mark.parametrize(
    ("name", "ways"),
    [
        ("digits_cnn", ("draw",)),
        ("wine_mlp", ("table",)),
        ("names_gru", ("text",)),
        ("mackey_glass_lstm", ("series",)),
        ("digits_vae", ("code", "draw")),
        ("digits_gan", ("code",)),
        ("digits_diffusion", ("samples",)),
        ("date_translation", ("text",)),
    ],
)
def test_each_sample_can_be_tried_in_its_way(name, ways):
    found = trial.trial_of(sample(name))
    assert found.ways == ways
    assert not found.why
    if found.fed is not None:
        (answer,) = asking.predict(model := sample(name), {n: v[:1] for n, v in found.examples.items()})
        assert answer.words
        assert model.networks.main is not None


def test_boxes_are_told_with_their_classes():
    made = sample("shapes_detector")
    found = trial.trial_of(made)
    (answer,) = asking.predict(made, {name: values[:1] for name, values in found.examples.items()})
    assert answer.words
    rows = np.array([[1, 0.5, 0.5, 0.2, 0.4, 0.6], [0, 0.2, 0.2, 0.1, 0.1, 0.9]], np.float32)
    told = answers.Found(("circle", "square"), answer.pixels, rows)
    assert [box["class"] for box in told.state()["boxes"]] == ["circle", "square"]
    assert told.words == "circle (90%), square (60%)"


def test_graphs_are_not_edited_and_the_dock_says_where_to_look():
    found = trial.trial_of(sample("karate_gcn"))
    assert found.ways == ()
    assert "Results" in found.why


def test_a_field_that_feeds_two_inputs_is_edited_once():
    net = builder.Network("two")
    a, b = net.add("Input", shape=(13,)), net.add("Input", shape=(13,))
    net.add("Output", net.add("Linear", net.add("add", a, b), out_features=3))
    inputs = {node.id: "features" for node in next(iter(net.project().networks.values())).of_kind("Input")}
    made = model_of(net.project(data=DataConfig("wine", inputs=inputs), training=TrainingConfig()))
    found = trial.trial_of(made)
    assert found.ways == ("table",)
    assert asking.predict(made, {"features": found.examples["features"][:2]})[1].words


def test_asking_leaves_modes_and_random_numbers_of_the_training_alone():
    made = sample("digits_vae")
    made.networks.train()
    module = next(iter(made.networks.modules.values()))
    asking.predict(made, {"image": torch.zeros(1, 1, 8, 8)})
    assert module.training
    assert torch.is_grad_enabled()


def test_the_same_code_gives_the_same_example_and_another_another():
    made = sample("digits_gan")
    size = making.code_of(made).size
    codes = torch.zeros(3, size)
    codes[2, 0] = 2.0
    first, same, other = making.from_code(made, codes)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_text_goes_on_by_pieces_as_at_once():
    net = builder.Network("text")
    x = net.add("Embedding", net.add("Input", shape=(16,), dtype="int64"), num_embeddings=128, embedding_dim=8)
    net.add("Output", net.add("Linear", x, out_features=128))
    data = DataConfig("python_text", {"context": 16, "stride": 400})
    made = model_of(net.project(data=data, training=TrainingConfig(objective="next_token")))
    ids = writing.prompt(made, "import")
    with asking.asked(made):
        whole = writing.more(made, ids, 6, temperature=0)
        pieces = writing.more(made, writing.more(made, ids, 2, temperature=0), 4, temperature=0)
    assert torch.equal(whole, pieces)
    assert writing.read(made, whole).startswith("import")


# -- drawings


def drawn(top, bottom, left, right, side=64):
    sheet = np.zeros((side, side), np.float32)
    sheet[top:bottom, left:right] = 1
    return sheet


def test_a_small_drawing_in_a_corner_fills_the_picture_as_those_of_the_data():
    part = trial.brought_to_size(drawn(4, 14, 50, 56), share=0.5)
    top, bottom, left, right = part
    assert (bottom - top, right - left) == (20, 20), "ten rows are half of twenty"
    assert ((top + bottom) / 2, (left + right) / 2) == pytest.approx((9, 53), abs=0.6)


def test_an_empty_sheet_and_pictures_that_are_no_drawings_stay_as_they_are():
    assert trial.brought_to_size(np.zeros((8, 8), np.float32), 0.8) is None
    assert trial.brought_to_size(drawn(1, 5, 1, 5), 0.0) is None
    photos = np.random.default_rng(0).random((20, 3, 8, 8)).astype(np.float32)
    assert trial.ink_of(photos).share == 0


@pytest.mark.parametrize("light", [True, False])
def test_ink_and_paper_are_found_in_the_data(light):
    pictures = np.stack([drawn(4, 20, 10, 14, 28)[None] for _ in range(5)])
    found = trial.ink_of(pictures if light else 1 - pictures)
    assert found.light is light
    assert found.share == pytest.approx(16 / 28)
