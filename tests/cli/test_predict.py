"""``deepgui predict`` for every kind of data and objective: what it takes, says, writes and refuses."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import deepgui
from deepgui.paths import samples
from deepgui.project.values import DataConfig, TrainingConfig

Trained = tuple[Path, str]


@pytest.fixture
def learnt(shell, tmp_path: Path) -> Callable[..., Trained]:
    """Train a drawing for two steps; its file and run."""

    def train(net: deepgui.Network | str, data: DataConfig | None = None, objective: str = "classification") -> Trained:
        path = tmp_path / "p.deepgui"
        if isinstance(net, str):
            path.write_bytes((samples() / f"{net}.deepgui").read_bytes())
        else:
            training = TrainingConfig(objective=objective, epochs=1, device="cpu", batch_size=16)
            deepgui.save(net.project(data=data, training=training), path)
        answer = shell("train", path, "--max-steps", 2, "--json", "--device", "cpu")
        assert answer.status == 0, answer.err
        return path, answer.events[-1]["run"]

    return train


def scores_of_tokens(context: int, vocabulary: int = 128) -> deepgui.Network:
    net = deepgui.Network("text")
    x = net.add("Input", shape=(context,), dtype="int64")
    x = net.add("Embedding", x, num_embeddings=vocabulary, embedding_dim=8)
    net.add("Output", net.add("Linear", x, out_features=vocabulary))
    return net


def of_series(steps: int, out: int) -> deepgui.Network:
    net = deepgui.Network("series")
    x = net.add("Flatten", net.add("Input", shape=(steps, 1)))
    net.add("Output", net.add("Linear", x, out_features=out))
    return net


def test_a_language_model_says_what_comes_next_and_goes_on(shell, learnt, tmp_path: Path) -> None:
    data = DataConfig("python_text", {"context": 16, "stride": 400})
    project, run = learnt(scores_of_tokens(16), data, "next_token")
    (tmp_path / "prompt.txt").write_text("a text that is longer than the window of the network")
    asked = ("predict", project, "--run", run, "--text", "def", "--input", "prompt.txt")
    of_file, of_text = shell(*asked, "--json").json["predictions"]
    assert of_text["input"] == "def"
    assert of_text["probabilities"][of_text["next"]] == of_text["probability"]
    assert of_file["file"] == "prompt.txt"
    written = [shell(*asked, "--generate", 9, "--seed", s, "--json").json["predictions"] for s in (1, 1, 2)]
    assert written[0] == written[1] != written[2]
    assert [(p["prompt"][:3], len(p["text"])) for p in written[0]] == [("a t", 9), ("def", 9)]
    sure = shell(*asked, "--generate", 9, "--temperature", 0, "--json").json["predictions"]
    assert sure == shell(*asked, "--generate", 9, "--top-k", 1, "--seed", 5, "--json").json["predictions"]
    assert shell(*asked, "--generate", 4).out.splitlines()[-1].startswith("def")
    alone = shell("predict", project, "--run", run, "--generate", 5, "--json").json["predictions"]
    assert len(alone[0]["text"]) == 5
    refused = shell("predict", project, "--run", run, "--text", "日本")
    assert (refused.status, refused.out) == (2, "")
    assert "not in the vocabulary" in refused.sentence


def test_gaps_are_filled_and_the_rest_stays(shell, learnt) -> None:
    data = DataConfig("python_text", {"context": 16, "stride": 400, "mask_token": True})
    project, run = learnt(scores_of_tokens(16), data, "masked_token")
    (found,) = shell("predict", project, "--run", run, "--text", "re<mask>urn", "--json").json["predictions"]
    assert (found["text"][:2], found["text"][3:]) == ("re", "urn")
    assert "<mask>" in shell("predict", project, "--run", run, "--text", "return").sentence
    assert "takes 16" in shell("predict", project, "--run", run, "--text", 20 * "a" + "<mask>").sentence


def test_names_are_told_apart_line_by_line(shell, learnt, tmp_path: Path) -> None:
    project, run = learnt("names_gru")
    (tmp_path / "names.txt").write_text("mira\n\nbodan\n")
    asked = shell("predict", project, "--run", run, "--input", "names.txt", "--text", "mira", "--json").json
    first, second, again = asked["predictions"]
    assert (first["row"], second["row"]) == (0, 1)
    assert first["probabilities"] == pytest.approx(again["probabilities"], abs=1e-5)
    assert sum(second["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_sequences_are_rewritten(shell, learnt) -> None:
    net = deepgui.Network("pairs")
    a = net.add("Embedding", net.add("Input", shape=(5,), dtype="int64"), num_embeddings=40, embedding_dim=8)
    b = net.add("Embedding", net.add("Input", shape=(6,), dtype="int64"), num_embeddings=40, embedding_dim=8)
    mean = net.add("mean", a, dim=1, keepdim=True)
    net.add("Output", net.add("Linear", net.add("add", b, mean), out_features=40))
    project, run = learnt(net, DataConfig("reversal", {"n": 200, "longest": 5}), "sequence_to_sequence")
    (found,) = shell("predict", project, "--run", run, "--text", "abc", "--json").json["predictions"]
    assert found["input"] == "abc"
    assert len(found["text"]) <= 6


def test_series_come_from_arrays_tables_and_archives(shell, learnt, tmp_path: Path) -> None:
    rows = "\n".join(",".join(f"{i + j}.5" for j in range(6)) + f":{'up' if i % 2 else 'down'}" for i in range(30))
    (tmp_path / "s.ts").write_text(f"@problemName s\n@timeStamps false\n@classLabel true up down\n@data\n{rows}\n")
    project, run = learnt(of_series(6, 2), DataConfig("ucr", {"path": str(tmp_path / "s.ts")}))
    one = np.array([3.5, 4.5, 5.5, 6.5, 7.5, 8.5], np.float32)
    np.save("one.npy", one)
    np.save("many.npy", np.stack([one, one])[..., None])
    Path("one.csv").write_text("\n".join(map(str, one)))
    asked = ("predict", project, "--run", run, "--input")
    found = shell(*asked, "one.npy", "one.csv", "many.npy", "s.ts", "--json").json["predictions"]
    assert len(found) == 1 + 1 + 2 + 30
    fourth = next(p for p in found if p["file"] == "s.ts" and p["row"] == 3)
    for p in found[:4]:
        assert p["probabilities"] == pytest.approx(fourth["probabilities"], abs=1e-5)
    np.save("short.npy", one[:4])
    np.save("wide.npy", np.ones((6, 3), np.float32))
    assert "has 4 steps, but the network takes 6" in shell(*asked, "short.npy").sentence
    assert "3 channels" in shell(*asked, "wide.npy").sentence


def test_a_forecast_goes_on_from_the_last_steps(shell, learnt) -> None:
    project, run = learnt(of_series(32, 1), DataConfig("sine", {"window": 32}), "regression")
    long = np.sin(np.arange(80) / 5).astype(np.float32)
    np.save("long.npy", long)
    np.save("end.npy", long[-32:])
    a, b = shell("predict", project, "--run", run, "--input", "long.npy", "end.npy", "--json").json["predictions"]
    assert a["value"] == pytest.approx(b["value"], abs=1e-6)


def test_recordings_are_heard_as_in_training(shell, learnt, tmp_path: Path) -> None:
    data = DataConfig("tones", {"n": 60, "form": "mel", "mels": 16})
    net = deepgui.Network("tones")
    x = net.add("AdaptiveAvgPool2d", net.add("Input", shape=(1, 16, 32)), output_size=4)
    net.add("Output", net.add("Linear", net.add("Flatten", x), out_features=6))
    project, run = learnt(net, data)
    with wave.open("a.wav", "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((np.sin(np.arange(16000) / 9) * 20000).astype("<i2").tobytes())
    (found,) = shell("predict", project, "--run", run, "--input", "a.wav", "--json").json["predictions"]
    assert found["row"] is None
    assert found["class"] in found["probabilities"]
    Path("b.wav").write_bytes(b"no sound")
    assert "not a WAV file" in shell("predict", project, "--run", run, "--input", "b.wav").sentence


@pytest.mark.parametrize("sample", ["digits_vae", "digits_gan", "digits_diffusion"])
def test_new_pictures_are_written_as_files(shell, learnt, tmp_path: Path, sample: str) -> None:
    project, run = learnt(sample)
    asked = ("predict", project, "--run", run, "--generate", 3, "--json", "-o")
    paths = shell(*asked, "one").json["generated"]
    assert paths == ["one/0001.png", "one/0002.png", "one/0003.png"]
    pictures = [np.asarray(Image.open(path)) for path in paths]
    assert all(p.shape == (8, 8) for p in pictures)
    assert not np.array_equal(pictures[0], pictures[1])
    again, other = shell(*asked, "two").json["generated"], shell(*asked, "three", "--seed", 1).json["generated"]
    assert np.array_equal(pictures[0], np.asarray(Image.open(again[0])))
    assert not np.array_equal(pictures[0], np.asarray(Image.open(other[0])))
    assert "-o DIR" in shell("predict", project, "--run", run, "--generate", 3).sentence


def test_an_autoencoder_tells_how_near_it_came(shell, learnt) -> None:
    project, run = learnt("digits_autoencoder")
    np.save("x.npy", np.random.default_rng(0).random((2, 8, 8), dtype=np.float32))
    found = shell("predict", project, "--run", run, "--input", "x.npy", "--json").json["predictions"]
    given = np.load("x.npy")[1].ravel()
    assert np.mean((np.array(found[1]["value"]) - given) ** 2) == pytest.approx(found[1]["mse"], rel=0.5)


def test_several_inputs_come_from_one_npz(shell, learnt, tmp_path: Path) -> None:
    project, run = learnt("names_gru")
    asked = ("predict", project, "--run", run, "--input", "x.npz", "--json")
    np.savez("x.npz", tokens=np.zeros((2, 3)))
    assert "but the network takes" in shell(*asked[:-1]).sentence
    np.savez("x.npz", other=np.zeros(3))
    assert "there is no array" in shell(*asked[:-1]).sentence


def test_what_cannot_be_asked_is_refused_in_a_sentence(shell, trained) -> None:
    project, run = trained
    asked = ("predict", project, "--run", run)
    assert "--input FILE or --text TEXT" in shell(*asked).sentence
    assert "does not take text" in shell(*asked, "--text", "wine").sentence
    assert "makes nothing new" in shell(*asked, "--generate", 3, "--input", "x.csv").sentence
    assert "--temperature must be a number from 0 up" in shell(*asked, "--temperature", -1).sentence


def test_eval_tells_of_every_class_and_the_worst_examples(shell, trained) -> None:
    project, run = trained
    found = shell("eval", project, "--run", run, "--json", "--worst", 4).json
    assert [c["name"] for c in found["per_class"]] == found["classes"]
    assert sum(c["examples"] for c in found["per_class"]) == found["examples"]
    assert found["means"]["f1"] == pytest.approx(found["metrics"]["test_f1"], abs=1e-6)
    losses = [bad["loss"] for bad in found["worst"]]
    assert len(losses) == 4
    assert losses == sorted(losses, reverse=True)
    people = shell("eval", project, "--run", run).out
    assert all(words in people for words in ("average precision", "worst examples", "ROC AUC"))


def test_eval_of_numbers_describes_the_residuals(shell, diabetes: Path) -> None:
    run = shell("train", diabetes, "--json").events[-1]["run"]
    found = shell("eval", diabetes, "--run", run, "--json").json
    (one,) = found["residuals"]
    assert one["absolute"] == pytest.approx(found["metrics"]["test_mae"], rel=1e-4)
    assert one["largest"] >= one["absolute"]
    assert "said minus true" in shell("eval", diabetes, "--run", run).out
