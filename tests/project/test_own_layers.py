"""Layers written in Python travel with the project as text, and those of a file beside it follow the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from own_sources import SWIGLU, drawn, plain

from deepgui.graph.values import Code
from deepgui.project import file, own
from deepgui.project.values import Project


def _beside(tmp_path: Path, source: str | bytes, project: Project | None = None) -> Path:
    path = tmp_path / "net.deepgui"
    file.write(project or Project("net"), path)
    data = source if isinstance(source, bytes) else source.encode()
    (tmp_path / "net_layers.py").write_bytes(data)
    return path


@pytest.mark.parametrize("source", [SWIGLU, "", "\r\n", "not python (", 'a = "\\u2028\\ud800"\n\n', "\ttab\n"])
def test_any_text_survives_the_file(source: str) -> None:
    project = drawn("SwiGLU", source)
    text = file.to_text(project)
    assert file.from_text(text) == project
    assert file.to_text(file.from_text(text)) == text


def test_the_source_stands_a_line_a_line_and_once() -> None:
    project = own.with_layer(drawn("SwiGLU", SWIGLU), "Other", SWIGLU, "SwiGLU")
    text = file.to_text(project)
    assert text.count("def gated") == 1
    assert '"same_as": "SwiGLU"' in text
    assert file.from_text(text) == project


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"layer": "SwiGLU",', ""), '"layer" is missing'),
        (('"layer": "SwiGLU"', '"layer": "a b"'), "layer"),
        (('"layer": "SwiGLU",', '"layer": "SwiGLU", "file": "../x.py",'), "must be the name of a file beside"),
        (('"layer": "SwiGLU",', '"layer": "SwiGLU", "same_as": "x",'), 'either "source" or "same_as"'),
        (('"source": [', '"sauce": ['), "did you mean source?"),
        (('"code": {', '"summary": "x", "code": {'), '"summary" is not known here'),
    ],
)
def test_what_is_no_code_is_refused_with_its_place(change: tuple[str, str], said: str) -> None:
    text = file.to_text(drawn("SwiGLU", SWIGLU))
    with pytest.raises(file.FileError, match="blocks → SwiGLU") as caught:
        file.from_text(text.replace(*change))
    assert said in str(caught.value)


def test_another_source_is_another_meaning_and_another_place_of_the_file_is_not() -> None:
    a, b = drawn("SwiGLU", SWIGLU), drawn("SwiGLU", SWIGLU + "\n")
    assert file.meaning_hash(a) != file.meaning_hash(b)
    moved = replace(a, blocks={"SwiGLU": replace(a.blocks["SwiGLU"], code=Code(SWIGLU, "SwiGLU", "x_layers.py"))})
    assert file.meaning_hash(a) == file.meaning_hash(moved)


def test_layers_of_the_file_beside_the_project_are_there_as_the_file_is_now(tmp_path: Path) -> None:
    path = _beside(tmp_path, plain("One") + plain("Two"))
    project = file.read(path)
    assert {k: c.file for k, c in own.layers(project).items()} == {"One": "net_layers.py", "Two": "net_layers.py"}
    (tmp_path / "net_layers.py").write_text(plain("Two", "return -x"))
    again, complaint = own.refreshed(project, path)
    assert complaint == ""
    assert list(again.blocks) == ["Two"]
    assert "return -x" in own.layers(again)["Two"].source
    assert own.refreshed(again, path)[0] is again


def test_a_layer_in_use_stays_when_its_file_goes_or_breaks(tmp_path: Path) -> None:
    project = drawn("One", plain("One"))
    project = replace(
        project, blocks={"One": replace(project.blocks["One"], code=Code(plain("One"), "One", "net_layers.py"))}
    )
    path = _beside(tmp_path, plain("Two"), project)
    assert list(file.read(path).blocks) == ["One", "Two"]
    (tmp_path / "net_layers.py").unlink()
    assert list(file.read(path).blocks) == ["One"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"\xff\xfe\x00", "net_layers.py is not text in UTF-8"),
        (b"class A(", "net_layers.py: Line 1: this is not valid Python"),
        (b"x = 1", "net_layers.py: there is no class here"),
        (b"#" * 2_000_000, "net_layers.py is too large"),
        (plain("SwiGLU").encode(), "already has a block called SwiGLU"),
    ],
)
def test_a_file_that_is_no_good_is_told_and_keeps_nothing_from_opening(
    tmp_path: Path, source: bytes, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = drawn("SwiGLU", SWIGLU)
    path = _beside(tmp_path, source, before)
    assert file.read(path) == before
    assert said in caplog.text


def test_what_is_untrusted_is_what_is_used() -> None:
    project = own.with_layer(drawn("SwiGLU", SWIGLU + "# never trusted"), "Unused", plain("Unused"))
    assert own.untrusted(project) == ("SwiGLU",)
