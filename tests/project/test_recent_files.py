"""The list of files opened lately."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgui.project import recent


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    return tmp_path


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    path.touch()
    return path


def test_the_latest_comes_first_and_none_twice(home: Path) -> None:
    a, b = _file(home, "a.deepgui"), _file(home, "b.deepgui")
    for path in (a, b, a):
        recent.remember(path)
    assert recent.recent() == [a, b]
    recent.forget(a)
    assert recent.recent() == [b]


def test_files_that_are_gone_are_left_out_and_the_list_has_an_end(home: Path) -> None:
    files = [_file(home, f"{n}.deepgui") for n in range(recent.LIMIT + 3)]
    for path in files:
        recent.remember(path)
    files[-1].unlink()
    assert recent.recent() == files[-2 : -recent.LIMIT - 1 : -1]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"null", b"5", b'[1, null, "", "a\\u0000b", {}]', b"\xff", b"[" * 100_000]
)
def test_a_damaged_list_is_an_empty_one_and_mends_itself(home: Path, content: bytes) -> None:
    (home / "home").mkdir()
    (home / "home" / "recent.json").write_bytes(content)
    assert recent.recent() == []
    path = _file(home, "a.deepgui")
    recent.remember(path)
    assert recent.recent() == [path]


def test_a_home_that_cannot_be_written_disturbs_nobody(home: Path) -> None:
    (home / "home").write_text("a file where a folder should be")
    recent.remember(_file(home, "a.deepgui"))
    assert recent.recent() == []
