"""``deepgui runs``: list the runs of a project, look at them, compare, mark, take them out, delete."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.cli.evaluate import store_of
from deepgui.training.compare import Comparison, Row, compare, flat, metric_names, say, setting_label
from deepgui.training.store import RunInfo, RunStore, so_far

MOST_COLUMNS = 5
"""So many metrics stand in the list; ``--show`` has all."""


def run(arguments: Namespace) -> int:
    """Do what the options ask for; without any, list the runs."""
    api.load(arguments.project)
    store = store_of(arguments)
    asked = next((name for name in _ACTIONS if getattr(arguments, name) is not None), None)
    if arguments.out is not None and asked not in ("csv", "tensorboard"):
        raise CommandError("-o says where --csv or --tensorboard writes; name one of them.")
    if asked is None:
        return _list(store, as_json=arguments.json)
    return _ACTIONS[asked](store, arguments)


def described(info: RunInfo) -> dict[str, Any]:
    """A run for ``--json``."""
    names = ("name", "status", "started", "seconds", "steps", "metrics", "config", "device", "message")
    plain = {"run": info.folder, "id": info.folder.name, **{name: getattr(info, name) for name in names}}
    return {**plain, **asdict(info.remarks)}


# -- the list


def _list(store: RunStore, *, as_json: bool) -> int:
    runs = store.list()
    if as_json:
        output.print_json({"runs": [described(info) for info in runs]})
        return DONE
    out = output.console()
    if not runs:
        out.print(f"no runs in {store.root}")
        return DONE
    shown = _worth_a_column(runs)
    table = output.table(
        "run", "started", "status", "steps", "seconds", *shown, "tags", right=("steps", "seconds", *shown)
    )
    for info in runs:
        measured = (output.number(info.metrics.get(name)) for name in shown)
        marks = (_when(info), info.status, f"{info.steps:,}", f"{info.seconds:.1f}")
        table.add_row(_titled(info), *marks, *measured, ", ".join(info.remarks.tags))
    out.print(table)
    return DONE


def _worth_a_column(runs: Sequence[RunInfo]) -> tuple[str, ...]:
    names = [name for name in metric_names(runs) if not name.startswith("train_")] or metric_names(runs)
    return tuple(names[:MOST_COLUMNS])


def _when(info: RunInfo) -> str:
    return datetime.fromtimestamp(info.started).strftime("%Y-%m-%d %H:%M")


def _titled(info: RunInfo) -> str:
    return f"{info.folder.name} {info.remarks.title}".rstrip()


# -- one run


def _show(store: RunStore, arguments: Namespace) -> int:
    from deepgui.training.store import columns, run_project

    info = so_far(store.open(arguments.show))
    curves = columns(info.folder) if (info.folder / "metrics.sqlite").is_file() else ()
    layers = len(run_project(info.folder).main.nodes)
    size = store.size(str(info.folder))
    if arguments.json:
        checkpoints = {"best": info.best_checkpoint, "last": info.last_checkpoint}
        found = {"meaning": info.meaning, "curves": curves, "checkpoints": checkpoints, "bytes": size, "nodes": layers}
        output.print_json({**described(info), **found})
        return DONE
    out = output.console()
    out.print(f"{_titled(info)}\n{info.folder}\n")
    facts = {
        "status": f"{info.status}. {info.message}" if info.message else info.status,
        "started": _when(info),
        "trained": f"{info.steps:,} steps in {info.seconds:.1f} s on {info.device or 'no device yet'}",
        "tags": ", ".join(info.remarks.tags),
        "note": info.remarks.note,
        "drawing": f"{layers} nodes",
        "curves": ", ".join(curves),
        "on disk": f"{size / 2**20:.1f} MiB",
    }
    facts |= {name: output.number(value) for name, value in info.metrics.items()}
    _facts({name: text for name, text in facts.items() if text})
    out.print("\nsettings")
    _facts({setting_label(name): say(value) for name, value in flat(info.config) if value not in ("", (), None)})
    return DONE


def _facts(facts: Mapping[str, str]) -> None:
    table = output.table("", "")
    table.show_header = False
    for name, text in facts.items():
        table.add_row(name, text)
    output.console().print(table)


# -- several


def _compare(store: RunStore, arguments: Namespace) -> int:
    if len(arguments.compare) < 2:
        raise CommandError("--compare needs at least two runs.")
    found = compare([so_far(store.open(name)) for name in arguments.compare])
    if arguments.json:
        output.print_json(_plain(found))
        return DONE
    out = output.console()
    names = [_titled(info) for info in found.runs]
    for title, rows in (("settings that differ", found.settings), ("metrics", found.metrics)):
        out.print(f"{title}{'' if rows else ': none'}")
        if rows:
            table = output.table("", *names, right=tuple(names) if rows is found.metrics else ())
            for row in rows:
                table.add_row(row.label, *_cells(row))
            out.print(table)
        out.print()
    for info, changes in zip(found.runs[1:], found.drawings, strict=True):
        out.print(f"drawing of {info.label} against {found.runs[0].label}{'' if changes else ': the same'}")
        for change in changes:
            out.print(f"  {change}")
    return DONE


def _cells(row: Row) -> Iterator[str]:
    for place, value in enumerate(row.values):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        text = output.number(value) if is_number else "-" if value is None else say(value)
        yield f"{text} *" if place in row.best else text


def _plain(found: Comparison) -> dict[str, Any]:
    return {
        "runs": [described(info) for info in found.runs],
        "settings": [{"name": row.name, "values": row.values} for row in found.settings],
        "metrics": [{"name": row.name, "values": row.values, "best": row.best} for row in found.metrics],
        "drawings": [
            {"run": info.folder.name, "against": found.runs[0].folder.name, "changes": changes}
            for info, changes in zip(found.runs[1:], found.drawings, strict=True)
        ],
    }


# -- taking out


def _csv(store: RunStore, arguments: Namespace) -> int:
    from deepgui.training.spreadsheet import curves_of, write_csv

    out = _out(arguments, "--csv RUN -o FILE")
    info = store.open(arguments.csv)
    count = write_csv(curves_of(info.folder), out)
    return _done(arguments, {"path": out, "rows": count}, f"wrote {count:,} steps to {out}")


def _tensorboard(store: RunStore, arguments: Namespace) -> int:
    from deepgui.training import tensorboard

    out = _out(arguments, "--tensorboard RUN -o DIR")
    info = store.open(arguments.tensorboard)
    count = tensorboard.export(info.folder, out)
    text = f"wrote {count:,} points to {out}; look at them with: tensorboard --logdir {out}"
    return _done(arguments, {"path": out, "points": count}, text)


def _out(arguments: Namespace, usage: str) -> Any:
    if arguments.out is None:
        raise CommandError(f"say where to write: {usage}.")
    return arguments.out


# -- marking and deleting


def _tag(store: RunStore, arguments: Namespace) -> int:
    run, *tags = _with_tags(arguments.tag, "--tag")
    return _remark(store, arguments, run, lambda info: {"tags": (*info.remarks.tags, *tags)})


def _untag(store: RunStore, arguments: Namespace) -> int:
    run, *tags = _with_tags(arguments.untag, "--untag")
    return _remark(store, arguments, run, lambda info: {"tags": [t for t in info.remarks.tags if t not in tags]})


def _with_tags(words: list[str], option: str) -> list[str]:
    if len(words) < 2:
        raise CommandError(f"{option} needs a run and at least one tag.")
    return words


def _note(store: RunStore, arguments: Namespace) -> int:
    run, text = arguments.note
    return _remark(store, arguments, run, lambda info: {"note": text})


def _rename(store: RunStore, arguments: Namespace) -> int:
    run, title = arguments.rename
    return _remark(store, arguments, run, lambda info: {"title": title})


def _remark(store: RunStore, arguments: Namespace, run: str, changes: Callable[[RunInfo], Mapping[str, Any]]) -> int:
    info = store.open(run)
    info = store.describe(str(info.folder), **changes(info))
    said = info.remarks
    marks = [f"tags {', '.join(said.tags)}"] if said.tags else []
    marks += [f"note: {said.note}"] if said.note else []
    return _done(arguments, described(info), "; ".join((_titled(info), *marks)))


def _delete(store: RunStore, arguments: Namespace) -> int:
    folders = [store.open(name).folder for name in arguments.delete]  # all of them are there, or none is deleted
    for folder in dict.fromkeys(folders):
        store.delete(str(folder))
    return _done(arguments, {"deleted": folders}, "\n".join(f"deleted {folder}" for folder in dict.fromkeys(folders)))


def _done(arguments: Namespace, plain: Mapping[str, Any], text: str) -> int:
    if arguments.json:
        output.print_json(plain)
    else:
        output.console().print(text)
    return DONE


_ACTIONS: Mapping[str, Callable[[RunStore, Namespace], int]] = {
    "show": _show,
    "compare": _compare,
    "csv": _csv,
    "tensorboard": _tensorboard,
    "tag": _tag,
    "untag": _untag,
    "note": _note,
    "rename": _rename,
    "delete": _delete,
}
