"""Writes docs/problems.md: every problem that DeepGUI names, with an example of each and what mends it.

python docs/make_problems.py > docs/problems.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from mistakes import MISTAKES, OTHERS, Mistake, problems

HEAD = """# Problems and their fixes

This page is written by `python docs/make_problems.py > docs/problems.md`; a test fails if it is not up to date.

A problem names the node, the port, what was expected and what arrived; its reason says why and what to do. Where one
edit mends it, a click (or Enter on the problem) makes that edit, and Ctrl+Z takes it back.

{mistakes} typical mistakes, of {kinds} kinds, are drawn and checked by the tests; {fixed} kinds are mended by one
click, and the tests apply each fix and look whether the problem is gone and no error is new.
"""


def page() -> str:
    """The whole page."""
    kinds = {m.code for m in MISTAKES}
    fixed = {m.code for m in MISTAKES if m.fixed}
    return "\n".join(
        [
            HEAD.format(mistakes=len(MISTAKES), kinds=len(kinds), fixed=len(fixed)),
            *_table("Errors", "error"),
            *_table("Warnings", "warning"),
            *_others(),
            "",
        ]
    )


def _table(title: str, severity: str) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| code | example | what is said | fix |"
    yield "| --- | --- | --- | --- |"
    for made in sorted(MISTAKES, key=lambda m: m.code):
        problem = next(p for p in problems(made) if p.code == made.code)
        if problem.severity == severity:
            yield _row(made, f"{problem.message} {problem.reason}", problem.fix.label if problem.fix else "")
    yield ""


def _row(made: Mistake, said: str, fix: str) -> str:
    return f"| `{made.code}` | {made.what} | {_cell(said)} | {_cell(fix)} |"


def _cell(text: str) -> str:
    return text.strip().replace("|", "\\|")


def _others() -> Iterator[str]:
    yield "## What depends on the machine, the files or a run\n"
    yield "| code | when |"
    yield "| --- | --- |"
    for code, when in sorted(OTHERS.items()):
        yield f"| `{code}` | {when} |"


if __name__ == "__main__":
    sys.stdout.write(page())
