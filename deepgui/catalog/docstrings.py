"""Help out of PyTorch's own docstrings: the first sentence, and what each argument does."""

from __future__ import annotations

import inspect
import re

_ROLE = re.compile(r":\w+:`~?\.?([^`]*?)(?:\s*<[^`<]*>)?`")
_SIGNATURE = re.compile(r"^[\w.]+\([^()]*(?:\([^()]*\)[^()]*)*\)(?:\s*->[^\n]*)?\s*:?\s*(?:\n|$)")
_ARGUMENT = re.compile(r"^( *)(\w+)(?: *\([^)]*\))? *: +(.*)$")


def clean(doc: str | None) -> str:
    """A docstring without its indentation and without leading C signatures, which may take several lines."""
    text = inspect.cleandoc(doc or "").replace("\\`", "`")  # torch.round escapes its roles once too often
    while match := _SIGNATURE.match(text):
        text = text[match.end() :].lstrip("\n")
    return inspect.cleandoc(text).strip()


def plain(text: str) -> str:
    """reStructuredText without its roles and literals: ``:attr:`dim``` becomes ``dim``."""
    text = _ROLE.sub(r"\1", text).replace("``", "").replace("`_", "").replace("`", "")
    return re.sub(r"\s+", " ", text).strip()


def summary(doc: str) -> str:
    """The first sentence, in plain text, that is not in a note or another directive."""
    paragraph: list[str] = []
    aside = False
    for line in doc.splitlines():
        if line.startswith(".."):
            aside = True
        elif line.strip() and not line.startswith(" "):
            aside = False
        if aside or not line.strip():
            if paragraph:
                break
            continue
        paragraph.append(line)
    text = plain(" ".join(paragraph))
    first = re.split(r"(?<=[a-z)\]])\.(?=\s|$)", text, maxsplit=1)[0]
    return first.rstrip(".:") + "." if first else ""


def arguments(doc: str) -> dict[str, str]:
    """What the ``Args:`` block says about each argument, in plain text."""
    found: dict[str, str] = {}
    inside, indent, name = False, -1, ""
    for line in doc.splitlines():
        if re.match(r"^\s*(Args|Arguments|Parameters|Keyword args|Keyword Args|Keyword Arguments)\s*:\s*$", line):
            inside, indent, name = True, -1, ""
            continue
        if not inside:
            continue
        if line.strip() and not line.startswith(" "):
            inside = False
            continue
        match = _ARGUMENT.match(line)
        if match and (indent < 0 or len(match[1]) == indent):
            indent, name = len(match[1]), match[2]
            found.setdefault(name, match[3])
        elif name and line.strip():
            found[name] += " " + line.strip()
    return {k: plain(v) for k, v in found.items()}
