"""A run begins with the weights of another: what fits is taken over, the rest is fresh, and both are said."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.compiler.weights import WeightsError
from deepgui.graph import edits
from deepgui.project.values import DataConfig, LayerTraining
from deepgui.training.events import Failed, Finished, Started, Warned
from deepgui.training.trainer import RunSpec, Trainer
from deepgui.training.transfer import transfer, weights_at


@pytest.fixture(scope="module")
def earlier(digits, tmp_path_factory):
    """A run over the first five digits."""
    from deepgui.training.store import RunStore

    project = with_head(digits(epochs=2), "01234")
    folder = RunStore(tmp_path_factory.mktemp("runs")).create(project)
    *_, last = Trainer(RunSpec(project, folder=folder))
    assert isinstance(last, Finished), last
    return folder


def with_head(project, only, features=5):
    network = edits.set_params(project.main, "linear", {"out_features": features})
    data = DataConfig("digits", {"only": only}) if only else project.data
    return replace(project, networks={"network": network}, data=data)


def beginning(project):
    """Weights before the first step, and what was said until then."""
    trainer, said = Trainer(RunSpec(project)), []
    for event in trainer:
        if isinstance(event, Warned):
            said.append(event.message)
        if isinstance(event, (Started, Failed)):
            assert isinstance(event, Started), event
            return {k: v.clone() for k, v in trainer.module.state_dict().items()}, said


def test_all_but_another_head_is_taken_over_and_said(digits, earlier):
    project = digits(start_from=str(earlier))
    found, said = beginning(project)
    kept = weights_at(earlier)
    torch.manual_seed(0)
    fresh = build(project.main, registry()).state_dict()
    for name, value in found.items():
        assert torch.equal(value, fresh[name] if name.startswith("linear") else kept[name]), name
    assert said == [
        f"Started from {earlier.name}: 6 of 8 tensors taken over; fresh are linear.weight (10×54 here, 5×54 there),"
        " linear.bias (10 here, 5 there)."
    ]


def test_a_head_of_the_same_size_is_fresh_if_it_is_to_begin_anew(digits, earlier):
    head = {"linear": LayerTraining(init="zeros_")}
    found, _ = beginning(with_head(digits(start_from=str(earlier), layers=head), "56789"))
    assert not found["linear.weight"].any()
    assert torch.equal(found["conv2d.weight"], weights_at(earlier)["conv2d.weight"])


def test_going_on_does_not_start_again(digits, earlier, new_run):
    project = digits(start_from=str(earlier), epochs=1)
    folder = new_run(project)
    list(Trainer(RunSpec(project, folder=folder)))
    longer = replace(project, training=replace(project.training, epochs=2, start_from="/gone"))
    said = [e.message for e in Trainer(RunSpec(longer, resume=folder)) if isinstance(e, (Warned, Failed))]
    assert said == []


@pytest.mark.parametrize("kind", ["safetensors", "pt", "checkpoint"])
def test_files_of_weights(digits, earlier, tmp_path, kind):
    weights = weights_at(earlier)
    path = tmp_path / f"w.{kind.replace('checkpoint', 'pt')}"
    if kind == "safetensors":
        save_file(weights, path)
    elif kind == "pt":
        torch.save(weights, path)
    else:
        path = earlier / "checkpoints" / "last.pt"
    found, _ = beginning(with_head(digits(start_from=str(path)), "01234"))
    assert found.keys() == weights.keys()


def test_what_cannot_be_started_from_is_one_sentence(digits, wine, earlier, tmp_path):
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"PK\x03\x04")
    (tmp_path / "empty").mkdir()
    for path, expected in (
        (tmp_path / "gone", "are not there"),
        (tmp_path / "empty", "has no checkpoint"),
        (broken, "cannot be read"),
    ):
        *_, last = Trainer(RunSpec(digits(start_from=str(path))))
        assert isinstance(last, Failed)
        assert (expected in last.message, last.reason, "\n" in last.message) == (True, "project", False)
    *_, last = Trainer(RunSpec(wine(start_from=str(earlier))))
    assert "Nothing in" in last.message


def test_code_in_a_file_of_weights_does_not_run(tmp_path, digits):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"w": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match="cannot be read"):
        transfer(torch.nn.Linear(1, 1), str(tmp_path / "evil.pt"))
    assert not (tmp_path / "ran").exists()


def test_digits_of_some_classes_are_counted_anew():
    from deepgui.data.dataset import prepare
    from deepgui.data.errors import DataError

    dataset = prepare(DataConfig("digits", {"only": "975"}), "classification")
    assert dataset.target.classes == ("5", "7", "9")
    assert sum(len(split) for split in dataset.splits.values()) == 182 + 179 + 180
    for wrong in ("5", "5x"):
        with pytest.raises(DataError, match="two or more digits"):
            prepare(DataConfig("digits", {"only": wrong}), "classification")
