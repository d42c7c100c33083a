"""PyTorch's docstrings as simple HTML: enough reStructuredText to read them by. Knows no Qt.

Paragraphs, lists, ``Args:``-style sections, code, doctest examples, notes, and TeX written with the
letters that Unicode has for it. What is not understood stays as it was written.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator

from deepgui.qt.inspector.tex import readable

_SECTION = re.compile(r"^(\w[\w ]*?)::?\s*$")
_SECTIONS = {"args", "arguments", "parameters", "keyword args", "keyword arguments", "shape", "example", "examples"}
_SECTIONS |= {"attributes", "variables", "inputs", "outputs", "return", "returns", "raises", "references"}
_SECTIONS |= {"note", "notes", "warning"}
_BULLET = re.compile(r"^(?:[*-]|\d+[.)])\s+")
_TERM = re.compile(r"^(\*{0,2}\w+)\s*(\([^)]*\))?\s*:\s*(.*)$", re.DOTALL)
_DIRECTIVE = re.compile(r"^\.\. (\w[\w-]*)\s*::\s*(.*)$")
_TARGET = re.compile(r"^\.\. _[^:]+:")


def to_html(doc: str) -> str:
    """The body of an HTML page for a docstring (its indentation already removed)."""
    return "".join(_blocks(textwrap.dedent(doc).split("\n")))


def _blocks(lines: list[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
            continue
        for rule in (_target, _directive, _doctest, _section, _list):
            done = rule(lines, at)
            if done is not None:
                at, markup = done
                yield markup
                break
        else:
            end = _paragraph_end(lines, at)
            yield _paragraph([part.strip() for part in lines[at:end]])
            at = end


_Done = tuple[int, str] | None


def _body(lines: list[str], at: int, indent: int) -> tuple[int, list[str]]:
    """The lines after ``at`` that are indented deeper than ``indent``, dedented, and where they end."""
    end = at
    while end < len(lines) and (not lines[end].strip() or _indent(lines[end]) > indent):
        end += 1
    return end, textwrap.dedent("\n".join(lines[at:end])).split("\n")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _target(lines: list[str], at: int) -> _Done:
    if not _TARGET.match(lines[at].strip()):
        return None
    end, _ = _body(lines, at + 1, _indent(lines[at]))
    return end, ""


def _directive(lines: list[str], at: int) -> _Done:
    found = _DIRECTIVE.match(lines[at].strip())
    if not found:
        return (at + 1, "") if lines[at].strip().startswith("..") else None
    name, rest = found[1], found[2]
    end, body = _body(lines, at + 1, _indent(lines[at]))
    if name == "math":
        return end, f"<p class='math'>{html.escape(readable(' '.join([rest, *body])))}</p>"
    if name in ("code", "code-block", "sourcecode"):
        return end, _code(body)
    if name in ("note", "warning", "seealso", "deprecated", "versionadded", "versionchanged"):
        title = {"seealso": "See also", "versionadded": "New in version", "versionchanged": "Changed in version"}
        inner = "".join(_blocks([rest, *body]))
        return end, f"<p class='section'>{title.get(name, name.capitalize())}</p>{inner}"
    return end, ""


def _doctest(lines: list[str], at: int) -> _Done:
    if not lines[at].lstrip().startswith(">>>"):
        return None
    end = at
    while end < len(lines) and lines[end].strip():
        end += 1
    return end, _code(textwrap.dedent("\n".join(lines[at:end])).split("\n"))


def _code(lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    return f"<pre>{html.escape(text)}</pre>" if text.strip() else ""


def _section(lines: list[str], at: int) -> _Done:
    found = _SECTION.match(lines[at].strip())
    if not found:
        return None
    title = found[1]
    end, body = _body(lines, at + 1, _indent(lines[at]))
    if title.lower() not in _SECTIONS:
        literal = lines[at].strip().endswith("::")
        return (end, _paragraph([f"{title}:"]) + _code(body)) if literal and any(body) else None
    inner = _terms(body) if any(_TERM.match(line) for line in body) else "".join(_blocks(body))
    return end, f"<p class='section'>{html.escape(title)}</p>{inner}"


def _terms(lines: list[str]) -> str:
    """``name (type): text`` entries, each with its deeper-indented continuation."""
    out, at = [], 0
    while at < len(lines):
        found = _TERM.match(lines[at])
        if not found or _indent(lines[at]):
            end = at + 1
            while end < len(lines) and not (_TERM.match(lines[end]) and not _indent(lines[end])):
                end += 1
            out.extend(_blocks(lines[at:end]))
            at = end
            continue
        end, body = _body(lines, at + 1, 0)
        first = f"<b>{html.escape(found[1].strip('*'))}</b>"
        kind = f" <i>{inline(found[2][1:-1])}</i>" if found[2] else ""
        text = _paragraph_end(body, 0)
        lead = inline(" ".join([found[3], *(part.strip() for part in body[:text])]).strip())
        out.append(f"<p class='term'>{first}{kind}<br/>{lead}</p>{''.join(_blocks(body[text:]))}")
        at = end
    return "".join(out)


def _list(lines: list[str], at: int) -> _Done:
    if not _BULLET.match(lines[at].lstrip()):
        return None
    indent, items = _indent(lines[at]), []
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        mark = _BULLET.match(lines[at].lstrip())
        if _indent(lines[at]) != indent or not mark:
            break
        end, body = _body(lines, at + 1, indent)
        head = lines[at].lstrip()[mark.end() :]
        items.append(f"<li>{''.join(_blocks([head, *body])) if any(body) else inline(head)}</li>")
        at = end
    return at, f"<ul>{''.join(items)}</ul>"


def _paragraph_end(lines: list[str], at: int) -> int:
    end = at
    while end < len(lines) and lines[end].strip():
        stripped = lines[end].lstrip()
        whole = " ".join(lines[at:end]).count("`") % 2 == 0  # no markup is open from an earlier line
        if end > at and whole and (_BULLET.match(stripped) or stripped.startswith((">>>", ".. "))):
            break
        end += 1
    return end


def _paragraph(parts: list[str]) -> str:
    text = " ".join(part for part in parts if part)
    return f"<p>{inline(text)}</p>" if text else ""


_INLINE = re.compile(
    r":math:`(?P<math>[^`]+)`"
    r"|:[\w:+-]+:`(?P<role>[^`]+)`"
    r"|``(?P<code>[^`]+)``"
    r"|`(?P<link>[^`<]+?)\s*(?:<[^`>]*>)?`__?"
    r"|`(?P<single>[^`]+)`"
    r"|\*\*(?P<bold>[^*\s][^*]*)\*\*"
    r"|(?<![\w*])\*(?P<italic>[^*\s][^*]*)\*(?![\w*])"
)


def inline(text: str) -> str:
    """Markup within a line."""
    out, at = [], 0
    for found in _INLINE.finditer(text):
        out.append(html.escape(text[at : found.start()]))
        out.append(_span(found))
        at = found.end()
    out.append(html.escape(text[at:]))
    return "".join(out).replace("\\_", "_").replace("\\*", "*")


def _span(found: re.Match[str]) -> str:
    kind, text = found.lastgroup or "", found[found.lastgroup or 0]
    if kind == "math":
        return f"<i>{html.escape(readable(text))}</i>"
    if kind == "role":
        shown = re.sub(r"\s*<[^>]*>$", "", text).lstrip("~!")
        shown = shown.rsplit(".", 1)[-1] if text.startswith("~") else shown
        return f"<code>{html.escape(shown)}</code>"
    if kind in ("code", "single"):
        return f"<code>{html.escape(text)}</code>"
    tag = {"bold": "b", "italic": "i"}.get(kind)
    return f"<{tag}>{html.escape(text)}</{tag}>" if tag else html.escape(text)


def plain(text: str) -> str:
    """A summary without markup, for tooltips."""
    return html.unescape(re.sub(r"<[^>]+>", "", inline(text)))
