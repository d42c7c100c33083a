"""``deepgui import``: an ONNX file or a torch module as a project."""

from __future__ import annotations

from argparse import Namespace

from deepgui.cli import output
from deepgui.cli.errors import DONE, FAILED, CommandError
from deepgui.importers.report import ImportReport


def run(arguments: Namespace) -> int:
    """Draw the source; the weights go beside the project. Status 1 and nothing written if a part cannot be drawn."""
    from deepgui.importers.sources import import_source, write

    if arguments.out.suffix != ".deepgui":
        raise CommandError(f"{arguments.out}: a project's file is called NAME.deepgui.")
    with output.waiting(f"importing {arguments.source}"):
        imported = import_source(arguments.source, arguments.input_shape)
    report = imported.report
    paths = write(imported, arguments.out) if report.ok else ()
    if arguments.json:
        output.print_json({"paths": paths, "report": report, "ok": report.ok})
    else:
        _print(report, [str(path) for path in paths])
    return DONE if report.ok else FAILED


def _print(report: ImportReport, paths: list[str]) -> None:
    out = output.console() if report.ok else output.console(stderr=True)
    for note in report.notes:
        out.print(f"{note.severity}: {note}")
    for path in paths:
        out.print(f"wrote {path}")
    if report.errors:
        out.print(f"deepgui: {len(report.errors)} parts cannot be drawn; nothing was written.")
    elif report.largest_difference is not None:
        said = f"largest difference to the original: {report.largest_difference:.2g} ({report.compared_with})"
        out.print(said if report.ok else f"deepgui: {said}; nothing was written.")
