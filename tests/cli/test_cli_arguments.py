"""Arguments, exit statuses, and that mistakes are one plain sentence."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepgui.cli import errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "p", "--lr", "abc"], "--lr must be a number, not 'abc'"),
        (["train", "p", "--lr", "nan"], "--lr must be a number above 0, not nan"),
        (["train", "p", "--lr", "-1"], "--lr must be a number above 0, not -1"),
        (["train", "p", "--epochs", "two"], "--epochs must be a whole number, not 'two'"),
        (["train", "p", "--epochs", "0"], "--epochs must be at least 1, not 0"),
        (["train", "p", "--batch-size", "9" * 30], "--batch-size must be at most 9,223,372,036,854,775,807"),
        (["train", "p", "--seed", str(2**63)], "--seed must be at most 9,223,372,036,854,775,807"),
        (["train", "p", "--device", "toaster"], "--device must be auto, cpu, cuda, mps or xpu, not 'toaster'"),
        (["train", "p", "--precision", "fp8"], "--precision"),
        (["train", "p", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["train"], "PROJECT"),
        (["eval", "p"], "--run"),
        (["predict", "p", "--run", "r", "--input"], "--input"),
        (["export", "p", "--to", "tensorflow", "-o", "x"], "tensorflow"),
        (["trian", "p"], "no command or project 'trian'; did you mean train?"),
        (["--nonsense"], "--nonsense"),
        (["layers", "Conv22d"], "there is no layer 'Conv22d'; did you mean Conv2d?"),
        (["samples", "extra"], "extra"),
    ],
)
def test_unusable_arguments_are_refused_in_one_sentence(shell, words: list[str], said: str) -> None:
    answer = shell(*words)
    assert answer.status == 2
    assert answer.out == ""
    assert said in answer.sentence
    assert answer.sentence.startswith("deepgui: ")


@pytest.mark.parametrize("command", ["check", "train", "runs", "open"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "There is no file"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'{"format": "deepgui", "version": 999, "networks": {}}', "newer DeepGUI"),
        (b'["a list"]', "not a DeepGUI project"),
    ],
)
def test_unusable_projects_are_refused_in_one_sentence(
    shell, tmp_path: Path, command: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / "p.deepgui"
    if content is not None:
        path.write_bytes(content)
    answer = shell(command, path)
    assert (answer.status, answer.out) == (2, "")
    assert said in answer.sentence


def test_a_folder_is_no_project(shell, tmp_path: Path) -> None:
    answer = shell("check", tmp_path)
    assert answer.status == 2
    assert "folder" in answer.sentence


def test_debug_shows_where_an_error_comes_from(shell, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There is no file"):
        shell("--debug", "check", tmp_path / "none.deepgui")


def test_without_a_display_opening_says_so(shell, wine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("there always is a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    answer = shell(wine)
    assert answer.status == 2
    assert "no display" in answer.sentence


def test_what_is_not_ours_to_explain_names_its_kind_and_status_1() -> None:
    error = KeyError("surprise")
    assert errors.status_of(error) == errors.FAILED
    assert errors.sentence(error) == "KeyError: 'surprise' (--debug shows where)."


def _python(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload, no-any-return]


def test_help_version_and_samples_do_not_wait_for_torch() -> None:
    for words in (["--help"], ["--version"], ["train", "--help"], ["samples", "--json"]):
        code = f"import sys\nfrom deepgui.cli import main\nstatus = main({words!r})\n"
        code += "assert status == 0, status\nassert not {'torch', 'PySide6', 'sklearn'} & set(sys.modules)\n"
        done = _python("-c", code)
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_python_dash_m_is_the_same_command() -> None:
    done = _python("-m", "deepgui", "check", "nowhere.deepgui")
    assert done.returncode == 2
    assert done.stderr == "deepgui: There is no file nowhere.deepgui.\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m deepgui layers | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, timeout=60)
    assert "kind" in done.stdout
    assert done.stderr == ""


def test_an_old_terminal_gets_question_marks_and_valid_json(wine: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = _python("-m", "deepgui", "samples", env=env)
    assert done.returncode == 0, done.stderr
    assert "8?8 pixels" in done.stdout
    done = _python("-m", "deepgui", "check", str(wine), "--json", env=env)
    assert "N\\u00d713" in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
def test_ctrl_c_stops_with_a_checkpoint_and_status_1(wine: Path, tmp_path: Path) -> None:
    import json
    import signal

    words = ["train", str(wine), "--epochs", "1000000", "--json", "--runs", str(tmp_path / "runs")]
    with subprocess.Popen(
        [sys.executable, "-m", "deepgui", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "epoch_finished":
                break
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    last = json.loads(out.splitlines()[-1])
    assert (last["event"], last["reason"]) == ("finished", "stopped")
    assert process.returncode == 1
    assert "go on with --resume" in err
    assert (Path(last["run"]) / "checkpoints" / "last.pt").is_file()
