"""Objectives over tokens: what counts, what is refused before training, and what is written."""

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
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training.bindings import make_objective
from deepgui.training.events import Failed, Finished, Scalars
from deepgui.training.objectives import tokens
from deepgui.training.objectives.base import Networks
from deepgui.training.preflight import preflight
from deepgui.training.trainer import RunSpec, Trainer

TEXT = DataConfig("python_text", {"context": 16, "stride": 400})
GAPS = DataConfig("python_text", {"context": 16, "stride": 400, "mask_token": True})
PAIRS = DataConfig("reversal", {"n": 200, "longest": 5})


def text_net(rows=128, scores=128, shape=(16,)):
    """An embedding and a score a token: knows each position alone, so it cannot look ahead."""
    net = builder.Network("text")
    x = net.add("Embedding", net.add("Input", shape=shape, dtype="int64"), num_embeddings=rows, embedding_dim=8)
    net.add("Output", net.add("Linear", x, out_features=scores))
    return net


def pairs_net(source, target):
    net = builder.Network("pairs")
    a = net.add("Embedding", net.add("Input", shape=source, dtype="int64"), num_embeddings=40, embedding_dim=8)
    b = net.add("Embedding", net.add("Input", shape=target, dtype="int64"), num_embeddings=40, embedding_dim=8)
    mean = net.add("mean", a, dim=1, keepdim=True)
    net.add("Output", net.add("Linear", net.add("add", b, mean), out_features=40))
    return net


def project(net, data, objective, **training):
    config = TrainingConfig(objective=objective, device="cpu", epochs=1, batch_size=16, **training)
    return net.project(data=data, training=config)


def problems(found):
    return preflight(found, "", catalogue(found.blocks))


def losses(found):
    kept = []
    for event in Trainer(RunSpec(found)):
        assert not isinstance(event, Failed), event
        if isinstance(event, Scalars):
            kept += event.columns.get("train_loss", ())
    return kept


def bound(found):
    dataset = prepare(found.data, found.training.objective)
    return make_objective(found, "", dataset), dataset


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(128, 8)
        self.scores = nn.Linear(8, 128)

    def forward(self, x):
        return self.scores(self.table(x))


def twin_losses(found, loss_of):
    dataset = prepare(found.data, found.training.objective)
    torch.manual_seed(found.training.seed)
    module = Twin()
    optimizer = torch.optim.Adam(module.parameters())
    kept = []
    for batch in Batches(dataset.train, 16, shuffle=True, seed=found.training.seed).epoch(0):
        optimizer.zero_grad()
        loss = loss_of(module, batch)
        loss.backward()
        optimizer.step()
        kept.append(loss.item())
    return kept


def test_next_token_trains_as_a_loop_written_by_hand():
    found = project(text_net(), TEXT, "next_token")
    assert problems(found) == ()

    def loss(module, batch):
        return F.cross_entropy(module(batch["tokens"]).flatten(0, 1), batch["next"].flatten())

    assert losses(found)[:50] == pytest.approx(twin_losses(found, loss)[:50], rel=1e-5)


def test_masked_token_trains_as_a_loop_written_by_hand():
    found = project(text_net(), GAPS, "masked_token")
    assert problems(found) == ()
    objective, _ = bound(found)

    def loss(module, batch):
        hidden, truth = objective.hide(batch["tokens"])
        return F.cross_entropy(module(hidden).flatten(0, 1), truth.flatten(), ignore_index=-100)

    assert losses(found)[:50] == pytest.approx(twin_losses(found, loss)[:50], rel=1e-5)


def test_gaps_are_where_they_should_be():
    objective, dataset = bound(project(text_net(), GAPS, "masked_token"))
    text = dataset.train.get(torch.arange(200))["tokens"]
    torch.manual_seed(0)
    hidden, truth = objective.hide(text)
    gaps = truth != tokens.IGNORED
    assert torch.equal(truth[gaps], text[gaps])
    assert torch.equal(hidden[~gaps], text[~gaps]), "what is not asked for stays as it is"
    assert 0.12 < gaps.float().mean() < 0.18
    mask = objective.field.classes.index("<mask>")
    assert 0.7 < (hidden[gaps] == mask).float().mean() < 0.9


def test_a_vocabulary_that_does_not_fit_is_found_before_training_and_mended():
    small = project(text_net(rows=20, scores=20), TEXT, "next_token")
    found = {p.code: p for p in problems(small)}
    assert found.keys() == {"small-vocabulary", "output-shape"}
    assert found["small-vocabulary"].message.startswith("embedding has 20 rows, but tokens has ")
    mended = small
    for problem in found.values():
        key = next(iter(mended.networks))
        mended = replace(mended, networks={key: problem.fix.apply(mended.networks[key])})
    assert problems(mended) == ()


def test_text_without_a_mask_token_is_refused_with_the_way_out():
    (found,) = problems(project(text_net(), TEXT, "masked_token"))
    assert "switch mask_token on in the settings of the data" in found.message


def test_data_without_text_is_refused_by_what_needs_it():
    net = builder.Network("mlp")
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=3))
    (found,) = problems(project(net, DataConfig("wine"), "masked_token"))
    assert found.message == "Masked token learns from text, and the data has none: choose a source of text."


def test_only_the_likeliest_tokens_are_drawn():
    scores = torch.tensor([[0.0, 3.0, 2.0, 1.0]]).repeat(300, 1)
    torch.manual_seed(0)
    assert set(tokens.draw(scores, 1.0, 2).tolist()) == {1, 2}
    assert set(tokens.draw(scores, 0.0, 0).tolist()) == {1}
    assert set(tokens.draw(scores, 5.0, 0).tolist()) == {0, 1, 2, 3}


def test_writing_goes_on_beyond_the_window():
    def run(ids):  # says the token after the one it sees
        return F.one_hot((ids + 1) % 10, 12).float()

    prompts = torch.tensor([[3, 4], [8, 9]])
    new = list(tokens.continued(run, prompts, 6, 4, 10, temperature=0.0))
    assert torch.stack(new, 1).tolist() == [[5, 6, 7, 8, 9, 0], [0, 1, 2, 3, 4, 5]]


class Knows(nn.Module):
    """Answers with the true token of every position, whatever was written before."""

    def __init__(self, answers, size):
        super().__init__()
        self.answers, self.size = answers, size

    def forward(self, source, written):
        known = [self.answers[tuple(row)] for row in source.tolist()]
        return 9.0 * F.one_hot(torch.stack(known), self.size).float()


@pytest.mark.parametrize("beam", [1, 3])
def test_a_decoder_that_knows_gives_exact_matches(beam):
    dataset = prepare(PAIRS, "sequence_to_sequence")
    source, target = dataset.field("source").shape, dataset.target.shape
    found = project(pairs_net(source, (target[0] - 1,)), PAIRS, "sequence_to_sequence")
    assert problems(found) == ()
    objective, dataset = bound(found)
    batch = dataset.train.get(torch.arange(8))
    answers = {tuple(s): t[1:] for s, t in zip(batch["source"].tolist(), batch["target"], strict=True)}
    networks = Networks({"network": Knows(answers, len(dataset.target.classes))})
    written = objective.decode(networks, batch, beam)
    assert bool(objective.right(written, batch["target"]).all())


def test_pairs_are_trained_judged_and_written_with_any_beam():
    dataset = prepare(PAIRS, "sequence_to_sequence")
    found = project(
        pairs_net(dataset.field("source").shape, (dataset.target.shape[0] - 1,)), PAIRS, "sequence_to_sequence"
    )
    trainer = Trainer(RunSpec(found))
    *_, last = trainer
    assert isinstance(last, Finished)
    assert {"val_loss", "val_perplexity", "val_accuracy", "val_exact_match", "test_exact_match"} <= last.metrics.keys()
    batch = trainer.dataset.validation.get(torch.arange(4))
    with torch.no_grad():
        for beam in (1, 4):
            assert trainer.objective.decode(trainer.networks, batch, beam).shape == (4, dataset.target.shape[0] - 1)
