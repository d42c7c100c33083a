"""``deepgui data``: the sources there are, a look at data, and well-known sets from the network."""

from __future__ import annotations

import difflib
import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from deepgui import api
from deepgui.catalog.spec import Value
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.data import preview
from deepgui.data.dataset import prepare
from deepgui.data.known_sets import KnownSet, download
from deepgui.data.known_sources import known_sets
from deepgui.data.preview import Preview
from deepgui.data.preview_columns import ColumnFacts
from deepgui.data.recognise import with_data
from deepgui.data.sources import sources
from deepgui.project.values import DataConfig

_BARS = " ▁▂▃▄▅▆▇█"
_PLAIN = " .:-=+*#@"
_MOST = 40  # classes and columns that are listed
_SHOWN = 8  # examples


def run(arguments: Namespace) -> int:
    """List sources, fetch a known set, or show what there is to see of data."""
    if arguments.what is None:
        return _list(as_json=arguments.json)
    if arguments.what == "fetch" and not Path("fetch").exists():
        return _fetch(arguments.name, as_json=arguments.json)
    if arguments.name is not None:
        raise CommandError(f"{arguments.name!r} is one word too many; see deepgui data --help.")
    config, objective = _config(arguments.what)
    config = replace(config, options={**config.options, **_options(config.source, arguments.set)})
    with output.waiting("reading"):
        found = preview.of(prepare(config, objective))
    if arguments.json:
        output.print_json({"source": config.source, **found.as_dict()})
    else:
        _print(found)
    return DONE


def _config(what: str) -> tuple[DataConfig, str]:
    """The data that a word names: a project, a source, or a file or folder. Raises FileError, DataError."""
    path = Path(what).expanduser()
    if path.suffix == ".deepgui":
        project = api.load(path)
        return project.data, project.training.objective
    known = sources().get(what)
    if known is not None and not path.exists():
        return DataConfig(what), known.suits[0] if known.suits else ""
    config = with_data(DataConfig(), path)
    looking = {"missing": "mean"} if config.source == "csv" else {}  # to be looked at, holes may stay
    return replace(config, options={**config.options, **looking}), ""


def _options(source: str, given: list[str]) -> dict[str, Value]:
    """Options of a source from ``name=value``. Raises CommandError, DataError."""
    types = {param.name: param.type for param in sources()[source].params} if source in sources() else {}
    found: dict[str, Value] = {}
    for text in given:
        name, mark, value = text.partition("=")
        if not mark:
            raise CommandError(f"--set takes name=value, such as target=price, not {text!r}.")
        found[name] = value if types.get(name) in ("str", "choice") else _value(value)
    return found


def _value(text: str) -> Value:
    """A number, true or false, several numbers, or else the text."""
    try:
        found = json.loads(f"[{text}]")
    except ValueError:
        return text
    return found[0] if len(found) == 1 else tuple(found)


def _list(*, as_json: bool) -> int:
    known = known_sets()
    if as_json:
        listed = [{"id": s.id, "title": s.title, "summary": s.summary} for s in sources().values() if s.id not in known]
        output.print_json({"sources": listed, "known": [_known(k) for k in known.values()]})
        return DONE
    out, table = output.console(), output.table("source", "what it is")
    for spec in sources().values():
        if spec.id not in known:
            table.add_row(spec.id, spec.summary)
    out.print(table)
    table = output.table("known set", "what it is", "download", "licence", right=("download",))
    for item in known.values():
        table.add_row(item.id, item.summary, "here" if item.here else item.size_text, item.licence)
    out.print()
    out.print(table)
    out.print("\ndeepgui data fetch NAME downloads a known set; deepgui data PROJECT|PATH|SOURCE shows what is in it")
    return DONE


def _known(item: KnownSet) -> dict[str, object]:
    found = {"id": item.id, "title": item.title, "summary": item.summary, "licence": item.licence}
    return {**found, "homepage": item.homepage, "download": item.size_text, "folder": item.folder, "here": item.here}


def _fetch(name: str | None, *, as_json: bool) -> int:
    known = known_sets()
    if name is None:
        raise CommandError(f"say which set to fetch: {', '.join(known)}.")
    if name not in known:
        near = difflib.get_close_matches(name.replace("-", "_").lower(), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
        raise CommandError(f"there is no known set {name!r}; {hint}")
    item = known[name]
    with output.waiting(f"fetching {item.title}"):
        folder = download(item)
    if as_json:
        output.print_json(_known(item))
    else:
        output.console().print(f"{item.title} is in {folder} (licence: {item.licence}; {item.homepage})")
    return DONE


def _print(found: Preview) -> None:
    out = output.console()
    out.print(preview.summary(found))
    if any(split.classes for split in found.splits):
        out.print()
        out.print(_classes(found))
    if found.columns:
        out.print()
        out.print(_columns(found))
    shown = [e for e in found.examples if e.split == "train"][:_SHOWN]
    table = output.table("example", *(sample.field for sample in shown[0].samples) if shown else ())
    for example in shown:
        table.add_row(f"{example.row + 1:,}", *(_short(sample.text) for sample in example.samples))
    out.print()
    out.print(table)
    for note in found.notes:
        out.print(f"note: {note}")
    for remark in found.remarks:
        out.print(f"look at this: {remark.text}")


def _classes(found: Preview) -> object:
    splits = [split for split in found.splits if split.examples]
    table = output.table("class", *(s.name for s in splits), "", right=tuple(s.name for s in splits))
    names = list(splits[0].classes)
    most = max(splits[0].classes.values(), default=0) or 1
    for name in names[:_MOST]:
        counts = [split.classes.get(name, 0) for split in splits]
        table.add_row(name, *(f"{n:,}" for n in counts), _bar(24) * round(24 * counts[0] / most))
    if len(names) > _MOST:
        table.add_row(f"and {len(names) - _MOST:,} more")
    return table


def _columns(found: Preview) -> object:
    roles = {use.name: use.role for use in found.uses}
    head = ["column", *(["role"] if roles else []), "minimum", "mean", "maximum", "missing", "values"]
    table = output.table(*head, right=("minimum", "mean", "maximum", "missing"))
    for column in found.columns[:_MOST]:
        role = [roles.get(column.name, "")] if roles else []
        gone = f"{column.missing:,}" if column.missing else ""
        figures = [f"{n:.4g}" for n in (column.low, column.mean, column.high)]
        table.add_row(column.name, *role, *(figures if column.kind == "number" else [""] * 3), gone, _values(column))
    for use in found.uses:
        if use.role == "ignore":
            table.add_row(use.name, use.role, "", "", "", f"{use.missing:,}" if use.missing else "", "")
    if len(found.columns) > _MOST:
        table.add_row(f"and {len(found.columns) - _MOST:,} more")
    return table


def _values(column: ColumnFacts) -> str:
    """A histogram in a line, or the most frequent categories."""
    if column.kind == "category":
        return _short(", ".join(f"{name!r} {count:,}" for name, count in column.frequent))
    most = max(column.counts, default=0)
    return "".join(_bar(-(-len(_BARS[1:]) * n // most)) if n else " " for n in column.counts)


def _bar(height: int) -> str:
    """A character of a bar, as high as the terminal can draw it."""
    import sys

    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    marks = _BARS if unicode else _PLAIN
    return marks[min(height, len(marks) - 1)]


def _short(text: str, most: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"
