"""``train.py`` and ``predict.py`` of an export run by themselves and agree with DeepGUI."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_wine

import deepgui
from deepgui import api
from deepgui.cli.predict import predictions
from deepgui.exporters.export import export
from deepgui.exporters.exportable import Exportable
from deepgui.exporters.train_script import train_script
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training.evaluate import load_trained
from deepgui.training.optim import schedulers

# Neither script may import DeepGUI. Several commands share a process, since importing torch is what takes long.
_ALONE = """
import json, runpy, sys
sys.modules["deepgui"] = None
sys.path.insert(0, ".")
for command in json.loads(sys.argv[1]):
    print("\\f", end="")
    sys.argv = command
    runpy.run_path(command[0], run_name="__main__")
"""


def run(folder: Path, *commands: list[object]) -> list[str]:
    """What each command printed."""
    words = json.dumps([[str(word) for word in command] for command in commands])
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", _ALONE, words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\f")[1:]


def trained(net: deepgui.Network, data: DataConfig, folder: Path, **training: object) -> tuple[Exportable, Path]:
    config = TrainingConfig(**{"device": "cpu", "epochs": 3, **training})  # type: ignore[arg-type]
    project = net.project(data=data, training=config)
    *_, last = deepgui.train(project, runs=folder / "runs")
    path = Path(last.as_dict()["run"])
    return api.exportable(project, path), path


def mlp(inputs: int, outputs: int) -> deepgui.Network:
    net = deepgui.Network("mlp")
    x = net.add("ReLU", net.add("Linear", net.add("Input", shape=(inputs,)), out_features=16))
    net.add("Output", net.add("Linear", x, out_features=outputs))
    return net


def convolution(size: int, outputs: int) -> deepgui.Network:
    net = deepgui.Network("cnn")
    x = net.add("Conv2d", net.add("Input", shape=(1, size, size)), out_channels=4, kernel_size=3)
    net.add("Output", net.add("Linear", net.add("Flatten", net.add("ReLU", x)), out_features=outputs))
    return net


def answers(text: str) -> list[str]:
    return [line.partition(": ")[2] for line in text.splitlines()]


def test_pictures(tmp_path: Path) -> None:
    subject, path = trained(convolution(8, 10), DataConfig("digits"), tmp_path)
    export(subject, "python", tmp_path / "out")
    for i in range(5):
        Image.fromarray((load_digits().images[i] * 15.9).astype(np.uint8)).save(tmp_path / f"out/{i}.png")
    Image.new("RGB", (40, 20), "navy").save(tmp_path / "out/wide.png")
    names = [*(f"{i}.png" for i in range(5)), "wide.png"]
    ours = [p for name in names for p in predictions(load_trained(path), tmp_path / "out" / name)]
    before, training, after = run(tmp_path / "out", ["predict.py", *names], ["train.py"], ["predict.py", "0.png"])
    assert answers(before) == [f"{p['class']} ({p['probability']:.1%})" for p in ours]
    assert float(re.findall(r"test accuracy ([\d.]+)", training)[0]) > 0.7
    assert answers(after)[0].startswith("0")


def test_both_scripts_say_what_they_take_and_do_nothing_else(pictures_subject: Exportable, tmp_path: Path) -> None:
    export(pictures_subject, "python", tmp_path / "out")
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for script, asks in (("train.py", "--epochs"), ("predict.py", "FILE")):
        command = [sys.executable, script, "--help"]
        done = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, timeout=100, check=True)
        assert done.stdout.startswith("usage:")
        assert asks in done.stdout
    left = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert left == written


def test_tables_by_name_or_in_order(tmp_path: Path) -> None:
    subject, path = trained(mlp(13, 3), DataConfig("wine"), tmp_path)
    export(subject, "python", tmp_path / "out")
    bunch = load_wine()
    np.savetxt(tmp_path / "plain.csv", bunch.data[::40], delimiter=",")
    header = ";".join(["note", *reversed(bunch.feature_names)])
    rows = [";".join(["-", *map(str, row[::-1])]) for row in bunch.data[::40]]
    (tmp_path / "named.csv").write_text("\n".join([header, *rows]))
    ours = [f"{p['class']} ({p['probability']:.1%})" for p in predictions(load_trained(path), tmp_path / "plain.csv")]
    plain, named = run(tmp_path / "out", *(["predict.py", tmp_path / name] for name in ("plain.csv", "named.csv")))
    assert answers(plain) == answers(named) == ours


def test_numbers_in_the_units_of_the_data(tmp_path: Path) -> None:
    subject, path = trained(mlp(10, 1), DataConfig("diabetes"), tmp_path, objective="regression", epochs=10)
    export(subject, "python", tmp_path / "out")
    from sklearn.datasets import load_diabetes

    np.save(tmp_path / "x.npy", load_diabetes().data[:4].astype(np.float32))
    ours = [p["value"][0] for p in predictions(load_trained(path), tmp_path / "x.npy")]
    text, training = run(tmp_path / "out", ["predict.py", tmp_path / "x.npy"], ["train.py"])
    assert [ast.literal_eval(line)[0] for line in answers(text)] == pytest.approx(ours, rel=1e-4)
    assert max(ours) > 50
    error = float(re.findall(r"RMSE\) ([\d.]+)", training)[0])
    assert 40 < error < 90


@pytest.mark.parametrize(
    ("filling", "inputs"),
    [
        ({"missing": "mean"}, 3),
        ({"missing": "constant", "fill_value": 9.0}, 4),
        ({"missing": "median", "indicator": True}, 5),
        ({"missing": "constant", "indicator": True, "category_as": "code"}, 4),
    ],
    ids=["filled", "a category of its own", "flagged", "flagged codes"],
)
def test_a_csv_file_with_categories_holes_and_a_decimal_comma(tmp_path: Path, filling: dict, inputs: int) -> None:
    random = np.random.default_rng(0)
    lines = ["size;colour;kind"]
    for _ in range(120):
        size, colour = random.normal(), random.choice(["red", "blue"])
        kind = "big" if size + (colour == "red") > 0.5 else "small"
        lines.append(f"{size:.3f};{colour};{kind}".replace(".", ","))
    lines[5] = lines[5].replace(lines[5].split(";")[0], "", 1)
    lines[9] = lines[9].replace(lines[9].split(";")[1], "NA", 1)
    (tmp_path / "data.csv").write_text("\n".join(lines))
    options = {"path": str(tmp_path / "data.csv"), "decimal": ",", **filling}
    subject, path = trained(mlp(inputs, 2), DataConfig("csv", options), tmp_path, optimizer_options={"lr": 0.03})
    export(subject, "python", tmp_path / "out")
    (tmp_path / "ask.csv").write_text("colour;size\nred;1,5\nblue;-2,0\nred;\n;0,1\n")
    ours = [f"{p['class']} ({p['probability']:.1%})" for p in predictions(load_trained(path), tmp_path / "ask.csv")]
    text, training = run(tmp_path / "out", ["predict.py", tmp_path / "ask.csv"], ["train.py"])
    assert answers(text) == ours
    assert "test accuracy" in training


def test_two_classes_from_one_number(tmp_path: Path) -> None:
    options = {"loss": "BCEWithLogitsLoss", "class_weights": True}
    subject, path = trained(mlp(2, 1), DataConfig("moons"), tmp_path, objective_options=options, epochs=8)
    export(subject, "python", tmp_path / "out")
    np.save(tmp_path / "x.npy", np.array([[0.0, 1.0], [1.0, -0.5]], dtype=np.float32))
    ours = [f"{p['class']} ({p['probability']:.1%})" for p in predictions(load_trained(path), tmp_path / "x.npy")]
    text, training = run(tmp_path / "out", ["predict.py", tmp_path / "x.npy"], ["train.py"])
    assert answers(text) == ours
    assert float(re.findall(r"test accuracy ([\d.]+)", training)[0]) > 0.8


@pytest.mark.parametrize("source", ["iris", "breast_cancer", "circles", "blobs", "spirals"])
def test_the_script_loads_the_very_examples(source: str) -> None:
    from deepgui.data.sources import open_source

    config = DataConfig(source)
    table = open_source(config)
    field = table.fields[0]
    subject = api.exportable(mlp(field.shape[0], len(table.fields[1].classes)).project(data=config))
    text = train_script(subject, "mlp", "Mlp")
    start, end = text.index("def load_data"), text.index("def main")
    space: dict[str, object] = {}
    lines = [
        line for line in text[:start].splitlines() if line.startswith(("import", "from sklearn", "from torch import"))
    ]
    exec("\n".join(lines) + "\n" + text[start:end].partition("def balance")[0], space)
    inputs, targets = space["load_data"]()  # type: ignore[operator]
    ours = table.get(__import__("torch").arange(len(table)))
    assert np.allclose(inputs, ours[field.name], atol=1e-6)
    assert np.array_equal(targets, ours[table.target])


@pytest.mark.parametrize("scheduler", sorted(schedulers()))
def test_every_scheduler_is_written_as_torch_takes_it(scheduler: str) -> None:
    import torch

    config = TrainingConfig(optimizer="SGD", optimizer_options={"lr": 0.1, "momentum": 0.5}, scheduler=scheduler)
    subject = api.exportable(mlp(13, 3).project(data="wine", training=config))
    text = train_script(subject, "mlp", "Mlp")
    line = next(line.strip() for line in text.splitlines() if "lr_scheduler" in line)
    model = torch.nn.Linear(1, 1)
    space = {
        "torch": torch,
        "optimizer": torch.optim.SGD(model.parameters(), 0.1, 0.5),
        "epochs": 20,
        "loader": [1] * 9,
    }
    exec(line, space)
    assert text.count("scheduler.step(") == 1


def test_scripts_are_formatted_and_plain(pictures_subject: Exportable, tmp_path: Path) -> None:
    result = export(pictures_subject, "python", tmp_path)
    assert not any("deepgui" in path.read_text().lower() for path in result.paths if path.suffix == ".py")
    ruff = [sys.executable, "-m", "ruff", "--isolated"]
    for command in ([*ruff, "format", "--line-length", "120", "--check", "."], [*ruff, "check", "."]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_classifier_without_data_calls_its_classes_by_number(tmp_path: Path) -> None:
    subject = api.exportable(mlp(4, 3))
    export(subject, "python", tmp_path / "out")
    np.save(tmp_path / "x.npy", np.zeros((2, 4), dtype=np.float32))
    random = np.random.default_rng(0)
    np.savez(tmp_path / "out/data.npz", inputs=random.normal(size=(60, 4)), targets=random.integers(0, 3, 60))
    text, training = run(tmp_path / "out", ["predict.py", tmp_path / "x.npy"], ["train.py"])
    assert all(re.fullmatch(r"[012] \(\d+\.\d%\)", answer) for answer in answers(text))
    assert "test accuracy" in training


def test_a_network_of_several_inputs_goes_without_scripts(tmp_path: Path) -> None:
    net = deepgui.Network("pair")
    net.add("Output", net.add("add", net.add("Input", shape=(2,)), net.add("Input", shape=(2,))))
    result = export(api.exportable(net), "python", tmp_path / "out")
    assert [p.name for p in result.paths] == ["pair.py", "pair.safetensors"]
