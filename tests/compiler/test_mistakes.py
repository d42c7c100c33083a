"""Typical mistakes of people who are new to this: named so that they can act on it, and mended by one click."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest
from mistakes import MISTAKES, OTHERS, Mistake, problems

from deepgui.graph.problems import Problem


def named(made: Mistake) -> Problem:
    found = [p for p in problems(made) if p.code == made.code]
    assert found, [f"{p.code}: {p.message}" for p in problems(made)]
    return found[0]


@pytest.mark.parametrize("made", MISTAKES, ids=lambda m: m.what)
def test_it_is_said_where_what_was_expected_and_what_to_do(made: Mistake) -> None:
    problem = named(made)
    assert (problem.node, problem.port) == (made.node, made.port)
    assert made.expected in problem.expected
    assert made.received in problem.received
    assert "\n" not in problem.message + problem.reason
    if problem.node and problem.port:
        assert made.project.main.nodes[problem.node].label in problem.message + problem.reason
    if problem.severity == "error":
        assert problem.message.endswith((".", "?"))
    assert problem.reason or problem.fix or ":" in problem.message, "nothing says what to do"


@pytest.mark.parametrize("made", [m for m in MISTAKES if m.fixed], ids=lambda m: m.what)
def test_one_click_mends_it(made: Mistake) -> None:
    problem = named(made)
    assert problem.fix is not None
    assert problem.fix.label
    before = {(p.code, p.node) for p in problems(made) if p.severity == "error"}
    after = problems(made, problem.fix.apply(made.project.main))
    assert (made.code, made.node) not in {(p.code, p.node) for p in after}
    assert {(p.code, p.node) for p in after if p.severity == "error"} <= before


def test_wrong_wires_name_port_and_both_shapes() -> None:
    for made in MISTAKES:
        problem = named(made)
        if problem.port and problem.code != "unconnected-input":
            assert problem.expected, made.what
            assert problem.received, made.what
            assert problem.fix or problem.reason, made.what


def test_there_are_enough_and_each_kind_once_at_least() -> None:
    assert len(MISTAKES) >= 20
    assert len({m.code for m in MISTAKES if m.fixed}) >= 15


ROOT = Path(__file__).parents[2]


def codes() -> set[str]:
    """The codes of all problems that the source makes."""
    found: set[str] = set()
    for path in (ROOT / "deepgui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                said = [node.args[0]] if name in ("Problem", "problem", "remark") else []
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
                names = [getattr(t, "id", "") for t in node.targets[0].elts]
                said = [node.value.elts[0]] if names[0] == "code" and isinstance(node.value, ast.Tuple) else []
            else:
                continue
            found |= {c.value for s in said for c in ast.walk(s) if isinstance(c, ast.Constant)}
    return found


def test_every_problem_has_an_example_or_is_listed() -> None:
    drawn = {m.code for m in MISTAKES}
    assert codes() <= drawn | set(OTHERS)
    assert drawn <= codes()


def test_the_page_of_problems_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("make_problems", ROOT / "docs" / "make_problems.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
    assert text == module.page(), "run: python docs/make_problems.py > docs/problems.md"
