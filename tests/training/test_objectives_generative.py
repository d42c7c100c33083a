"""Objectives that give examples back, or make new ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

import deepgui
from deepgui import builder, library, paths
from deepgui.catalog.builtin import registry
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.interpret import capture, resume
from deepgui.data.dataset import prepare
from deepgui.probes.observe import preview
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training import evaluate
from deepgui.training.bindings import make_objective
from deepgui.training.events import Finished, Scalars
from deepgui.training.objectives import ObjectiveError, latent, quality
from deepgui.training.objectives.base import Networks
from deepgui.training.objectives.diffusion import kept_share
from deepgui.training.objectives.previews import Images, Scatter
from deepgui.training.optim import preview_schedule
from deepgui.training.preflight import preflight
from deepgui.training.trainer import RunSpec, Trainer


def sample(name, data=None, **training):
    """A sample with other settings; ``options`` are added to those of the objective."""
    project = deepgui.load(paths.samples() / f"{name}.deepgui")
    options = {**project.training.objective_options, **training.pop("options", {})}
    config = replace(project.training, objective_options=options, device="cpu", **training)
    return replace(project, training=config, data=data or project.data)


def problems(project, severity="error"):
    found = preflight(project, "", catalogue(project.blocks))
    return [p for p in found if p.severity == severity]


def trained(project, folder=None):
    """The trainer at its end, all curves, and the last event."""
    trainer, curves, last = Trainer(RunSpec(project, folder=folder)), {}, None
    for event in trainer:
        last = event
        if isinstance(event, Scalars):
            for name, values in event.columns.items():
                curves.setdefault(name, []).extend(zip(event.steps, values, strict=True))
    assert isinstance(last, Finished), last
    return trainer, curves, last


def untrained(project):
    """Fresh networks and their objective."""
    trainer = Trainer(RunSpec(replace(project, training=replace(project.training, max_steps=1))))
    *_, last = trainer
    assert isinstance(last, Finished), last
    return trainer.networks, trainer.objective


# -- going on from a wire


def test_going_on_from_a_wire_gives_what_the_whole_network_gives():
    net = builder.Network("halves")
    x = net.add("Input", shape=(6,))
    code = net.add("Linear", x, out_features=2, name="code")
    decoded = net.add("Linear", net.add("Tanh", code), out_features=6)
    net.add("Output", decoded, name="a")
    net.add("Output", net.add("add", decoded, x), name="b")
    module = deepgui.compile(net)
    given = torch.randn(5, 6)
    wire = ("linear", "output")
    codes = capture(module, [given], [wire])
    torch.testing.assert_close(resume(module, codes), module(given)[0])
    torch.testing.assert_close(resume(module, {**codes, ("input", "output"): given}, 1), module(given)[1])
    with pytest.raises(ValueError, match="input is needed"):
        resume(module, codes, 1)
    with pytest.raises(KeyError):
        resume(module, {("linear", "h_n"): given})


# -- reconstruction


def test_the_error_is_in_units_of_the_data_and_the_linear_code_is_sklearns():
    project = sample("digits_autoencoder", max_steps=20, data=DataConfig("digits", normalize="standard"))
    trainer, _, last = trained(project)
    dataset = trainer.dataset
    inputs = dataset.test.all()["image"]
    with torch.no_grad():
        said = trainer.module(inputs)
    raw = dataset.test.raw(torch.arange(len(dataset.test)))["image"]
    wanted = float((dataset.normalizer["image"].inverse(said) - raw).square().mean())
    assert last.metrics["test_mse"] == pytest.approx(wanted, rel=1e-4)
    known = dataset.train.raw(torch.arange(len(dataset.train)))["image"].flatten(1).numpy()
    linear, rows = PCA(2).fit(known), raw.flatten(1).numpy()
    error = float(((linear.inverse_transform(linear.transform(rows)) - rows) ** 2).mean())
    assert last.metrics["test_pca_mse"] == pytest.approx(error, rel=1e-3)


@pytest.mark.parametrize("noise", ["gaussian", "mask"])
def test_a_spoilt_input_is_shown_and_judged_with_the_same_noise_every_time(noise):
    project = sample("digits_autoencoder", max_steps=2, options={"noise": noise})
    trainer, _, last = trained(project)
    assert "test_pca_mse" not in last.metrics
    again = evaluate.evaluate(trainer.networks, trainer.dataset, "test", trainer.objective)
    assert again.metrics["mse"] == last.metrics["test_mse"]
    shown = preview(trainer.objective, trainer.networks, "reconstructions")
    assert isinstance(shown, Images)
    assert shown.rows == ("input", "spoilt", "reconstruction")
    real, spoilt = shown.images[:10], shown.images[10:20]
    assert 0.01 < float(np.abs(real - spoilt).mean()) < 0.5


def test_the_code_is_the_narrowest_wire_or_the_one_that_is_named():
    project = sample("digits_autoencoder", max_steps=1)
    networks, objective = untrained(project)
    batch = objective.some(4)
    assert objective.narrow(networks, batch).shape == (2,)
    assert latent.find(networks.modules["network"], objective.arguments(batch), "encoded2").shape == (64,)
    shown = preview(objective, networks, "latent")
    assert isinstance(shown, Scatter)
    assert shown.points.shape == (270, 2)
    assert set(shown.labels.tolist()) == set(range(10))
    named = sample("digits_autoencoder", options={"latent": "no_such_node"})
    assert [p.code for p in problems(named)] == ["unknown-node"]


def chain(shape, *layers):
    net = builder.Network("net")
    x = net.add("Input", shape=shape)
    for kind, params in layers:
        x = net.add(kind, x, **params)
    net.add("Output", x)
    return net


@pytest.mark.parametrize(
    ("layers", "received"),
    [
        ((("Flatten", {}), ("Linear", {"out_features": 64})), "N×64"),
        ((("Flatten", {}), ("Linear", {"out_features": 7})), "N×7"),
        ((("Conv2d", {"out_channels": 3, "kernel_size": 1}),), "N×3×8×8"),
        ((("Conv2d", {"out_channels": 3, "kernel_size": 1}), ("BatchNorm2d", {})), "N×3×8×8"),
    ],
)
def test_a_reconstruction_of_another_shape_is_mended(layers, received):
    training = TrainingConfig(objective="reconstruction")
    project = chain((1, 8, 8), *layers).project(data="digits", training=training)
    (problem,) = problems(project)
    assert (problem.code, problem.expected, problem.received) == ("output-shape", "N×1×8×8", received)
    mended = replace(project, networks={"network": problem.fix.apply(project.main)})
    assert problems(mended) == []


def test_values_that_a_loss_or_a_layer_cannot_take_are_found_before_training():
    for name, options in (("digits_autoencoder", {"loss": "BCELoss"}), ("digits_vae", {})):
        project = sample(name, data=DataConfig("digits", normalize="standard"), options=options)
        found = problems(project)
        assert [p.code for p in found] == ["loss-needs-shares"]
        assert "set normalize to none" in found[0].message
    gan = sample("digits_gan", data=DataConfig("digits", normalize="standard"))
    (warning,) = problems(gan, "warning")
    assert (warning.code, warning.received) == ("out-of-reach", "0 to 1")
    kinds = {node.kind for node in warning.fix.apply(gan.main).nodes.values()}
    assert "Sigmoid" not in kinds


def test_points_of_the_plane_are_learnt_and_shown_too():
    net = chain((2,), ("Linear", {"out_features": 1}), ("Linear", {"out_features": 2}))
    training = TrainingConfig(objective="reconstruction", max_steps=3, device="cpu")
    trainer, _, _ = trained(net.project(data="moons", training=training))
    shown = preview(trainer.objective, trainer.networks, "reconstructions")
    assert isinstance(shown, Scatter)
    assert shown.classes == ("input", "reconstruction")
    assert preview(trainer.objective, trainer.networks, "latent").points[:, 1].tolist() == [0.0] * 150


# -- variational


def test_the_bound_is_reconstruction_and_divergence_in_nats():
    project = sample("digits_vae", max_steps=3, options={"beta": 0.5})
    _, curves, last = trained(project)
    for prefix in ("val_", "test_"):
        parts = last.metrics[f"{prefix}reconstruction"] + 0.5 * last.metrics[f"{prefix}kl"]
        assert last.metrics[f"{prefix}loss"] == pytest.approx(parts)
    assert len(curves["train_kl"]) == len(curves["train_reconstruction"]) == 3
    network, objective = untrained(project)
    with torch.no_grad():
        for name, parameter in network.modules["network"].named_parameters():
            if name.startswith(("mean_layer", "log_variance_layer")):
                parameter.zero_()
    found = evaluate.evaluate(network, objective.dataset, "test", objective)
    assert found.metrics["kl"] == 0, "a code that is normally distributed costs nothing"


def test_new_digits_follow_from_the_seed_and_the_code_alone():
    networks, objective = untrained(sample("digits_vae"))
    one, same, other = (objective.generate(networks, 5, seed) for seed in (1, 1, 2))
    assert one.shape == (5, 1, 8, 8)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    grid = preview(objective, networks, "traversal")
    assert (grid.images.shape[0], grid.columns, len(grid.rows)) == (144, 12, 12)
    codes = torch.tensor([[-2.0, 2.0]])  # the corner that is seen first: small to the right, large upwards
    wanted = objective.decoded(networks, codes).numpy()[0]
    np.testing.assert_allclose(grid.images[0], wanted, atol=1e-6)


def test_a_code_of_many_numbers_has_a_row_for_each_that_varies():
    project = sample("digits_vae")
    network = project.main
    for id, node in network.nodes.items():
        if node.label in ("mean_layer", "log_variance_layer"):
            network = deepgui.graph.edits.set_params(network, id, {"out_features": 9})
    networks, objective = untrained(replace(project, networks={"network": network}))
    grid = preview(objective, networks, "traversal")
    assert (grid.images.shape[0], grid.columns, len(grid.rows)) == (72, 12, 6)
    assert preview(objective, networks, "latent").points.shape == (270, 2)


def vae_with_a_way_around():
    net = builder.Network("around")
    x = net.add("Flatten", net.add("Input", shape=(1, 8, 8)))
    mean, spread = net.add("Linear", x, out_features=4), net.add("Linear", x, out_features=4)
    z = net.add(library.generative.reparameterise(), mean, spread)
    y = net.add("add", net.add("Linear", z, out_features=64), x)
    net.add("Output", net.add("Unflatten", y, dim=1, unflattened_size=(1, 8, 8)), name="reconstruction")
    net.add("Output", mean, name="mean")
    net.add("Output", spread, name="log_variance")
    training = TrainingConfig(objective="variational", device="cpu")
    return net.project(data=DataConfig("digits", normalize="none"), training=training)


def test_a_wire_around_the_code_is_said_where_new_digits_are_asked_for():
    networks, objective = untrained(vae_with_a_way_around())
    with pytest.raises(ObjectiveError, match="goes around the code"):
        objective.generate(networks, 2)


def test_a_code_that_nobody_draws_is_said():
    project = vae_with_a_way_around()
    plain = next(id for id, node in project.main.nodes.items() if node.kind == "Reparameterise")
    network = deepgui.graph.edits.remove_nodes(project.main, [plain])
    before = next(w.target for w in project.main.out_of(plain))
    mean = network.into(next(n.id for n in network.of_kind("Output") if n.label == "mean"))[0].source
    network = deepgui.graph.edits.append_wire(network, mean, "output", before, "input")
    found = problems(replace(project, networks={"network": network}), "warning")
    assert [p.code for p in found] == ["nothing-sampled"]


# -- adversarial


def weights(module):
    return {name: value.clone() for name, value in module.named_parameters()}


def test_in_each_turn_one_network_moves_and_the_other_stands_still():
    project = sample("digits_gan", max_steps=1, options={"critic_steps": 3})
    trainer = Trainer(RunSpec(project))
    list(trainer)
    moved = []
    batch = next(iter(trainer.batches()))
    for step in range(1, 7):
        before = {role: weights(module) for role, module in trainer.networks.modules.items()}
        trainer.networks.train()
        outcome = trainer.stepper(batch, step, step)
        after = {role: weights(module) for role, module in trainer.networks.modules.items()}
        moved.append([r for r, own in before.items() if any(not torch.equal(v, after[r][n]) for n, v in own.items())])
        assert ("generator_loss" in outcome.parts) == ("generator" in moved[-1])
    assert [len(who) for who in moved] == [1, 1, 2, 1, 1, 2]
    assert all("discriminator" in who for who in moved)
    assert all(p.requires_grad for m in trainer.networks.modules.values() for p in m.parameters())


def test_the_rates_of_both_follow_the_schedule_over_the_whole_run():
    options = {"critic_steps": 4, "discriminator_lr": 5e-4}
    project = sample("digits_gan", epochs=2, scheduler="OneCycleLR", options=options)
    trainer, curves, _ = trained(project)
    steps = 2 * trainer.steps_per_epoch
    wanted = preview_schedule(project.training, steps, trainer.steps_per_epoch)
    assert [lr for _, lr in curves["lr"]] == pytest.approx(wanted)
    rates = {turn: mover.lr for turn, mover in trainer.stepper.movers.items()}
    assert rates["discriminator"] == pytest.approx(rates["generator"] / 2)
    trainer.stepper.set_number("lr", rates["generator"] * 10)
    assert trainer.stepper.movers["discriminator"].lr == pytest.approx(rates["generator"] * 5)


def test_gathered_batches_are_of_one_move_for_both():
    project = sample("digits_gan", max_steps=8, options={"critic_steps": 2}, accumulate=2)
    _, curves, _ = trained(project)
    assert [step for step, _ in curves["train_generator_loss"]] == [1, 2, 5, 6]


def test_the_newest_weights_are_kept_and_a_run_is_usable_without_its_data(new_run):
    project = sample("digits_gan", max_steps=25)  # a little more than an epoch
    folder = new_run(project)
    trainer, _, last = trained(project, folder)
    assert last.steps == 25
    found = evaluate.load_trained(folder)
    for role, module in trainer.networks.modules.items():
        for name, value in module.state_dict().items():
            assert torch.equal(found.networks.modules[role].state_dict()[name], value)
    assert [f.name for f in found.legend.inputs] == ["noise"]
    assert found.legend.target.name == "image"
    dataset, objective = evaluate.examples_of(found)
    made = objective.generate(found.networks, 3, seed=5)
    assert made.shape == (3, 1, 8, 8)
    score = evaluate.evaluate(found.networks, dataset, "test", objective)
    assert score.metrics["loss"] == last.metrics["test_loss"]


def test_waiting_for_a_loss_that_tells_nothing_is_warned_of():
    project = sample("digits_gan", early_stopping=3, scheduler="ReduceLROnPlateau")
    assert [p.code for p in problems(project, "warning")] == ["nothing-to-wait-for"] * 2
    assert problems(sample("digits_vae", early_stopping=3), "warning") == []


def test_what_a_discriminator_should_not_have_is_taken_out():
    project = sample("digits_gan", options={"loss": "wasserstein"})
    judge = builder.Network("judge")
    x = judge.add("BatchNorm2d", judge.add("Input", shape=(1, 8, 8)))
    x = judge.add("Sigmoid", judge.add("Linear", judge.add("Flatten", x), out_features=3))
    judge.add("Output", x)
    both = {"generator": project.main, "discriminator": judge.network()}
    project = replace(project, networks=both)
    found = {p.code: p for p in preflight(project, "discriminator", catalogue(project.blocks))}
    assert found.keys() == {"output-shape", "extra-activation", "batch-norm-in-critic"}
    for code in found:
        problem = {p.code: p for p in preflight(project, "discriminator", catalogue(project.blocks))}[code]
        mended = problem.fix.apply(project.networks["discriminator"])
        project = replace(project, networks={**project.networks, "discriminator": mended})
    assert preflight(project, "discriminator", catalogue(project.blocks)) == ()
    alone = replace(project, networks={"generator": project.main})
    (missing,) = problems(alone)
    assert (missing.code, "discriminator" in missing.message) == ("missing-network", True)


def test_quality_tells_a_few_good_examples_from_many():
    torch.manual_seed(0)
    real, labels = torch.randn(300, 2), torch.arange(300) % 3
    real += labels[:, None] * 10
    assert quality.compare(real, real, labels) == (1.0, 1.0, 3)
    few = real[labels == 0].repeat(3, 1) + 0.01 * torch.randn(300, 2)
    found = quality.compare(few, real, labels)
    assert found.fidelity > 0.9
    assert found.variety < 0.4
    assert found.classes == 1
    assert quality.compare(torch.randn(300, 2) + 100, real) == (0.0, 0.0, None)


# -- diffusion


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [10, 200, 1000])
def test_examples_fade_from_whole_to_noise(schedule, steps):
    kept = kept_share(schedule, steps)
    assert kept.shape == (steps,)
    assert bool((kept.diff() < 0).all())
    assert kept[0] > 0.8
    assert kept[-1] < 0.01
    assert torch.isfinite(kept).all()


class Knowing(nn.Module):
    """Knows the one example there is, and says what the objective asks for."""

    def __init__(self, objective, example, kind):
        super().__init__()
        self.objective, self.example, self.kind = objective, example, kind

    def forward(self, noisy, time):
        assert time.shape == (len(noisy), 1)
        kept = self.objective.kept[time[:, 0].long()].view(-1, 1, 1, 1)
        noise = (noisy - kept.sqrt() * self.example) / (1 - kept).sqrt()
        v = kept.sqrt() * noise - (1 - kept).sqrt() * self.example
        return {"noise": noise, "v": v, "sample": self.example.expand_as(noisy)}[self.kind]


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
@pytest.mark.parametrize("kind", ["noise", "v", "sample"])
def test_a_network_that_knows_the_example_leads_the_sampler_to_it(kind, sampler):
    options = {"prediction": kind, "sampler": sampler, "timesteps": 50, "sampling_steps": 10}
    project = sample("digits_diffusion", options=options)
    objective = make_objective(project, "network", prepare(project.data, "diffusion"))
    example = objective.dataset.train.get(torch.arange(1))["image"]
    networks = Networks({"network": Knowing(objective, example, kind)})
    assert len(objective.places()) == (50 if sampler == "ddpm" else 10)
    torch.manual_seed(0)
    *states, made = objective.denoised(networks, torch.randn(3, 1, 8, 8))
    torch.testing.assert_close(made, example.expand(3, -1, -1, -1), atol=1e-3, rtol=1e-3)
    assert float((states[0] - example).abs().mean()) > 0.1, "it began far away"
    assert objective.loss(networks, {"image": example.expand(8, -1, -1, -1)}).loss < 1e-6


def test_in_ancestral_sampling_each_step_has_the_noise_of_the_schedule():
    """With a network that says zero for the example, what is left after a step is pure noise of known size."""
    project = sample("digits_diffusion", options={"sampler": "ddpm", "prediction": "sample", "timesteps": 20})
    objective = make_objective(project, "network", prepare(project.data, "diffusion"))

    class Nothing(nn.Module):
        def forward(self, noisy, time):
            return torch.zeros_like(noisy)

    objective.range = (-1.0, 1.0)
    torch.manual_seed(0)
    noise = torch.randn(500, 1, 8, 8) * (1 - objective.kept[-1]).sqrt()
    states = list(objective.denoised(Networks({"network": Nothing()}), noise))
    for place, state in zip(range(18, -1, -1), states, strict=False):
        assert float(state.std()) == pytest.approx(float((1 - objective.kept[place]).sqrt()), rel=0.03)


@pytest.mark.parametrize(("shape", "dtype"), [((), "int64"), ((1,), "float32")])
def test_the_time_step_comes_as_the_input_is_drawn(shape, dtype):
    net = builder.Network("flat")
    time = net.add("Input", shape=shape, dtype=dtype, name="time")  # placed first, told apart by its name
    noisy = net.add("Input", shape=(1, 8, 8))
    if dtype == "int64":
        known = net.add("Embedding", time, num_embeddings=40, embedding_dim=64)
    else:
        known = net.add("Linear", time, out_features=64)
    known = net.add("Unflatten", known, dim=1, unflattened_size=(1, 8, 8))
    net.add("Output", net.add("Conv2d", net.add("add", noisy, known), out_channels=1, kernel_size=3, padding=1))
    config = TrainingConfig(objective="diffusion", objective_options={"timesteps": 40}, max_steps=2, device="cpu")
    project = net.project(data="digits", training=config)
    assert preflight(project, "", registry()) == ()
    trainer, _, last = trained(project)
    assert trainer.objective.generate(trainer.networks, 300).shape == (300, 1, 8, 8)
    again = evaluate.evaluate(trainer.networks, trainer.dataset, "test", trainer.objective)
    assert again.metrics["loss"] == last.metrics["test_loss"], "judged on the same noise every time"


def test_a_network_without_a_time_step_is_warned_of():
    net = chain((1, 8, 8), ("Conv2d", {"out_channels": 1, "kernel_size": 3, "padding": 1}))
    project = net.project(data="digits", training=TrainingConfig(objective="diffusion"))
    assert [p.code for p in problems(project, "warning")] == ["missing-input"]
    assert problems(project) == []


def test_words_cannot_be_reconstructed_as_numbers(tmp_path):
    (tmp_path / "text.txt").write_text("to be or not to be, that is the question. " * 40)
    net = builder.Network("words")
    x = net.add("Embedding", net.add("Input", shape=(64,), dtype="int64"), num_embeddings=128, embedding_dim=1)
    net.add("Output", net.add("Flatten", x))
    data = DataConfig("text", {"path": str(tmp_path / "text.txt")})
    project = net.project(data=data, training=TrainingConfig(objective="reconstruction"))
    assert "wrong-field" in {p.code for p in problems(project)}
