"""What each command does, and the JSON that the contract promises."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_wine

import deepgui
from deepgui.project.values import DataConfig


def test_check_counts_and_names_every_node(shell, wine: Path) -> None:
    found = shell("check", wine, "--json").json
    assert found["problems"] == []
    assert found["parameters"] == 13 * 16 + 16 + 16 * 3 + 3
    assert found["multiply_adds"] == 13 * 16 + 16 * 3
    linear = next(n for n in found["nodes"] if n["id"] == "linear")
    assert linear["kind"] == "Linear"
    assert (linear["inputs"], linear["outputs"]) == ({"input": "N×13"}, {"output": "N×16"})
    assert (linear["parameters"], linear["multiply_adds"]) == (13 * 16 + 16, 13 * 16)
    assert found["memory"]["weights"] == found["parameters"] * 4
    assert found["memory"]["training"] > found["memory"]["activations"] > 0


def test_check_prints_a_table_for_people(shell, wine: Path) -> None:
    answer = shell("check", wine)
    assert (answer.status, answer.err) == (0, "")
    for words in ("N×16", "total", "275", "no problems", "memory"):
        assert words in answer.out


def test_check_lists_problems_with_their_fixes_and_status_1(shell, tmp_path: Path) -> None:
    net = deepgui.Network("bad")
    x = net.add("Input", shape=(1, 8, 8))
    net.add(
        "Output", net.add("Linear", net.add("Conv2d", x, in_channels=3, out_channels=4, kernel_size=3), out_features=2)
    )
    deepgui.save(net, tmp_path / "bad.deepgui")
    answer = shell("check", tmp_path / "bad.deepgui", "--json")
    assert answer.status == 1
    problem = answer.json["problems"][0]
    assert problem["node"] == "conv2d"
    assert problem["severity"] == "error"
    assert problem["message"]
    assert problem["fix"]
    people = shell("check", tmp_path / "bad.deepgui")
    assert people.status == 1
    assert f"fix: {problem['fix']}" in people.out


def test_check_survives_unknown_layers_cycles_and_an_empty_network(shell, tmp_path: Path) -> None:
    for nodes, wires, code in (
        ({"a": {"kind": "Frobnicate"}}, [], "unknown-kind"),
        ({"a": {"kind": "ReLU"}, "b": {"kind": "ReLU"}}, [["a.output", "b.input"], ["b.output", "a.input"]], "cycle"),
        ({}, [], "empty"),
    ):
        content = {"format": "deepgui", "version": 1, "networks": {"network": {"nodes": nodes, "wires": wires}}}
        (tmp_path / "p.deepgui").write_text(json.dumps(content))
        answer = shell("check", tmp_path / "p.deepgui", "--json")
        assert answer.status == 1
        assert code in [p["code"] for p in answer.json["problems"]]


def test_train_json_is_one_event_a_line_and_ends_as_promised(shell, wine: Path) -> None:
    answer = shell("train", wine, "--epochs", 3, "--batch-size", 20, "--seed", 1, "--json")
    assert (answer.status, answer.err) == (0, "")
    last = answer.events[-1]
    assert last["event"] == "finished"
    assert {"train_loss", "val_loss", "val_accuracy", "test_accuracy"} <= last["metrics"].keys()
    assert last["steps"] == 3 * 7  # 124 training examples in batches of 20
    assert last["seconds"] > 0
    assert Path(last["run"]).parent == wine.with_suffix(".runs")
    assert [e["epoch"] for e in answer.events if e["event"] == "epoch_finished"] == [1, 2, 3]


def test_a_split_that_is_not_there_is_null_in_the_promised_metrics(shell, wine: Path, tmp_path: Path) -> None:
    project = deepgui.load(wine)
    data = DataConfig("wine", validation=0.0, test=0.0)
    deepgui.save(type(project)(project.name, project.networks, data, project.training), tmp_path / "all.deepgui")
    metrics = shell("train", tmp_path / "all.deepgui", "--epochs", 1, "--json").events[-1]["metrics"]
    assert metrics["val_accuracy"] is metrics["test_accuracy"] is None
    assert metrics["train_loss"] > 0


def test_train_for_people_ends_with_the_metrics(shell, wine: Path) -> None:
    answer = shell("train", wine, "--max-steps", 5, "--lr", "1e-3", "--runs", "elsewhere")
    assert answer.status == 0
    assert "test_accuracy" in answer.out
    assert "5 steps" in answer.out
    assert "parameters on cpu" in answer.err
    assert len(list(Path("elsewhere").iterdir())) == 1


def test_resuming_goes_on_with_the_same_run(shell, wine: Path) -> None:
    run = shell("train", wine, "--epochs", 2, "--json").events[-1]["run"]
    answer = shell("train", wine, "--resume", Path(run).name, "--epochs", 4, "--json")
    started = next(e for e in answer.events if e["event"] == "started")
    assert started["run"] == answer.events[-1]["run"] == run
    assert started["resumed_from"] * 2 == answer.events[-1]["steps"]


def test_regression_has_errors_in_the_units_of_the_data(shell, diabetes: Path) -> None:
    last = shell("train", diabetes, "--json").events[-1]
    assert {"train_loss", "val_loss", "val_rmse", "test_rmse"} <= last["metrics"].keys()
    assert last["metrics"]["val_rmse"] > 10
    found = shell("eval", diabetes, "--run", last["run"], "--json").json
    assert found["metrics"]["test_rmse"] == pytest.approx(last["metrics"]["test_rmse"], rel=1e-5)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--data", "nowhere"], 2, "there is no such file or folder"),
        (["--resume", "nothing"], 2, "There is no run nothing"),
        (["--device", "xpu:7"], 2, "There is no device xpu:7"),
    ],
)
def test_training_refuses_before_it_writes(shell, wine: Path, words: list[str], status: int, said: str) -> None:
    answer = shell("train", wine, *words)
    assert (answer.status, answer.out) == (status, "")
    assert said in answer.sentence
    assert not wine.with_suffix(".runs").exists()


def test_a_project_that_does_not_suit_its_data_is_status_1(shell, wine: Path, lenet: Path) -> None:
    answer = shell("train", lenet)
    assert (answer.status, answer.out) == (1, "")
    assert "No data is chosen yet" in answer.sentence


def test_eval_measures_what_training_measured(shell, trained: tuple[Path, Path]) -> None:
    project, run = trained
    metrics = json.loads((run / "run.json").read_text())["metrics"]
    for split in ("val", "test"):
        found = shell("eval", project, "--run", run, "--split", split, "--json").json
        assert found["metrics"][f"{split}_accuracy"] == pytest.approx(metrics[f"{split}_accuracy"])
        assert sum(map(sum, found["confusion"])) == found["examples"] == 27
    people = shell("eval", project, "--run", run.name)
    assert "test_accuracy" in people.out
    assert "class_0" in people.out


def test_runs_lists_the_newest_first(shell, wine: Path) -> None:
    assert shell("runs", wine, "--json").json == {"runs": []}
    assert "no runs" in shell("runs", wine).out
    for seed in (1, 2):
        shell("train", wine, "--epochs", 1, "--seed", seed)
    found = shell("runs", wine, "--json").json["runs"]
    assert [r["config"]["training"]["seed"] for r in found] == [2, 1]
    assert all(r["status"] == "completed" and Path(r["run"]).is_dir() for r in found)
    assert found[0]["id"] in shell("runs", wine).out


def _wine_rows(folder: Path, *, header: bool) -> Path:
    bunch = load_wine()
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        if header:  # by name, in another order, with a column that nobody asked for
            writer.writerow(["note", *reversed(bunch.feature_names)])
            writer.writerows(["good", *row[::-1]] for row in bunch.data[[0, 80, 150]])
        else:
            writer.writerows(bunch.data[[0, 80, 150]])
    return folder / "rows.csv"


@pytest.mark.parametrize("header", [True, False])
def test_predict_reads_rows_by_column_name_or_in_order(
    shell, trained: tuple[Path, Path], tmp_path: Path, header: bool
) -> None:
    project, run = trained
    rows = _wine_rows(tmp_path, header=header)
    np.save(tmp_path / "rows.npy", load_wine().data[[0, 80, 150]])
    found = shell("predict", project, "--run", run, "--input", rows, "rows.npy", "--json").json["predictions"]
    assert len(found) == 6
    for by_text, by_array in zip(found[:3], found[3:], strict=True):
        assert by_text["class"] == by_array["class"]
        assert by_text["probability"] == pytest.approx(by_array["probability"], abs=1e-4)
        assert sum(by_text["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
    assert [p["class"] for p in found[:3]] == ["class_0", "class_1", "class_2"]
    assert "class_0" in shell("predict", project, "--run", run, "--input", rows).out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no.csv", None, "there is no such file"),
        ("few.csv", b"1,2,3\n", "there are 3 columns without names, but 13 are needed"),
        ("text.csv", b"a" + 12 * b",1" + b"\n", "row 1: column 'column_1' holds 'a'"),
        ("x.png", b"no picture", "does not take images"),
        ("x.npy", b"no array", "not a NumPy file"),
    ],
)
def test_predict_names_the_file_it_cannot_use(
    shell, trained: tuple[Path, Path], tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    project, run = trained
    answer = shell("predict", project, "--run", run, "--input", name)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.sentence
    assert name in answer.sentence


def test_predict_sees_pictures_as_training_did(shell, tmp_path: Path) -> None:
    shutil_copy = Path(deepgui.__file__).parent.parent / "samples" / "digits_cnn.deepgui"
    project = tmp_path / "digits.deepgui"
    project.write_bytes(shutil_copy.read_bytes())
    run = shell("train", project, "--epochs", 3, "--device", "cpu", "--json").events[-1]["run"]
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = []
    for i in range(20):
        names.append(f"{i}.png")
        Image.fromarray((digits.images[i] * 255 / 16).round().astype(np.uint8)).save(names[-1])
    np.save("digits.npy", (digits.images[:20] / 16).astype(np.float32))
    found = shell("predict", project, "--run", run, "--input", *names, "digits.npy", "--json").json["predictions"]
    assert [p["class"] for p in found[:20]] == [p["class"] for p in found[20:]]
    right = sum(p["class"] == str(t) for p, t in zip(found, digits.target[:20], strict=False))
    assert right >= 18


def test_export_says_what_was_compared(shell, trained: tuple[Path, Path]) -> None:
    project, run = trained
    found = shell("export", project, "--to", "weights", "-o", "w.safetensors", "--run", run, "--json").json
    assert found["trained"] is True
    assert found["max_difference"] == 0
    assert Path(found["paths"][0]).is_file()
    people = shell("export", project, "--to", "weights", "-o", "fresh.pt")
    assert people.status == 0
    assert "freshly initialised" in people.out


def test_export_refuses_what_cannot_be_and_leaves_nothing(shell, wine: Path, tmp_path: Path) -> None:
    for out, said in (("x.exe", ".onnx file"), ("wine.deepgui/x.onnx", "")):
        answer = shell("export", wine, "--to", "onnx", "-o", out)
        assert answer.status == 2
        assert said in answer.sentence
    assert sorted(p.name for p in tmp_path.iterdir()) == ["wine.deepgui"]


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["samples"], ["layers"], ["layers", "Conv2d"], ["runs", "net.deepgui"]]
)
def test_what_needs_no_torch_does_not_wait_for_it(words: list[str], tmp_path: Path) -> None:
    from deepgui.catalog import snapshot
    from deepgui.catalog.builtin import registry

    deepgui.save(deepgui.Network("net").project(), tmp_path / "net.deepgui")
    snapshot.save(registry())
    code = (
        "import sys; from deepgui.cli import main; main(sys.argv[1:]); print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout, done.stderr


def test_layers_explains_one(shell) -> None:
    answer = shell("layers", "--json").json
    known = answer["layers"]
    assert answer["coverage"]["percent"] == 100
    assert answer["coverage"]["missing"] == []
    assert answer["coverage"]["layers"] + answer["coverage"]["losses"] >= 135
    assert len(known) > 100
    found = shell("layers", "Conv2d", "--json").json
    assert found["inputs"][0]["name"] == "input"
    kernel = next(p for p in found["params"] if p["name"] == "kernel_size")
    assert (kernel["required"], kernel["type"]) == (True, "ints")
    assert next(p for p in found["params"] if p["name"] == "in_channels")["inferred_from"] == "input[1]"
    assert "kernel_size" in shell("layers", "Conv2d").out
    assert "Convolution" in shell("layers").out


def test_samples_are_listed_with_their_files(shell) -> None:
    found = shell("samples", "--json").json["samples"]
    assert {"digits_cnn", "wine_mlp", "moons_mlp"} <= {s["name"] for s in found}
    for sample in found:
        assert Path(sample["path"]).is_file()
        assert Path(sample["picture"]).is_file()
        assert sample["summary"]
    assert "digits_cnn" in shell("samples").out


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_render_draws_the_network(shell, wine: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"deep/drawing{suffix}"
    answer = shell("render", wine, "-o", out)
    assert (answer.status, answer.err) == (0, "")
    content = out.read_bytes()
    assert content.startswith({".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}[suffix])
    assert len(content) > 5000
    assert [p.name for p in out.parent.iterdir()] == [out.name]
    if suffix == ".png":
        colours = Image.open(out).convert("RGB").getcolors(1 << 20)
        assert colours is not None
        assert len(colours) > 50


def test_render_refuses_other_formats_and_empty_networks(shell, wine: Path, tmp_path: Path) -> None:
    assert "a .svg, .pdf or .png file" in shell("render", wine, "-o", "x.gif").sentence
    deepgui.save(deepgui.Network("nothing"), tmp_path / "empty.deepgui")
    answer = shell("render", tmp_path / "empty.deepgui", "-o", "x.png")
    assert (answer.status, "nothing to draw" in answer.sentence) == (2, True)


def test_an_unexpected_failure_is_one_sentence_without_a_traceback(wine: Path) -> None:
    code = (
        "import sys; from deepgui.training.trainer import Trainer; from deepgui.cli import main\n"
        "def broken(self): raise LookupError('odd')\n"
        "Trainer._started = broken; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "train", str(wine)]
    quiet, loud = (
        subprocess.run([*command, *more], capture_output=True, text=True, check=False) for more in ([], ["--debug"])
    )
    assert (quiet.returncode, quiet.stderr) == (1, "deepgui: The training failed with LookupError: odd.\n")
    assert "Traceback" in loud.stderr


def test_torchrun_trains_a_project_and_the_first_process_speaks(wine: Path) -> None:
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*words, "-m", "deepgui", "train", wine, "--epochs", "1", "--batch-size", "31", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events].count("finished") == 1
    assert events[-1]["steps"] == 2
    assert events[-1]["metrics"]["val_accuracy"] > 0.3


def test_a_detached_run_is_left_attached_to_and_stopped(shell, wine: Path) -> None:
    begun = shell("train", wine, "--epochs", 1_000_000, "--detach", "--json").json
    run = Path(begun["run"])
    assert run.is_dir()
    assert begun["pid"] > 0
    until = time.monotonic() + 60
    while not (run / "checkpoints" / "last.pt").is_file() and time.monotonic() < until:
        time.sleep(0.1)
    told = shell("attach", wine, "--set", "lr=0.002", "--stop")
    assert (told.status, told.out) == (0, "")
    assert "stops" in told.err
    followed = shell("attach", run, "--json")
    assert followed.status == 1
    assert "go on with --resume" in followed.sentence
    assert [event["event"] for event in followed.events][-1] == "finished"
    assert shell("attach", wine, "--pause").sentence.endswith("there is nothing to pause.")
