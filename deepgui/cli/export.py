"""``deepgui export``: the network in a form that needs no DeepGUI."""

from __future__ import annotations

from argparse import Namespace

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, FAILED, CommandError
from deepgui.cli.evaluate import run_folder


def run(arguments: Namespace) -> int:
    """Export the project's network, with a run's weights if one is named."""
    from deepgui.exporters.export import export
    from deepgui.exporters.verify import ExportError

    project = api.load(arguments.project)
    folder = run_folder(arguments) if arguments.run else None
    with output.waiting(f"exporting to {arguments.to}"):
        try:
            result = export(api.exportable(project, folder, arguments.network), arguments.to, arguments.out)
        except ExportError as error:
            raise CommandError(str(error), FAILED) from error
    if arguments.json:
        output.print_json(
            {
                "paths": result.paths,
                "max_difference": result.max_difference,
                "checked_with": result.checked_with,
                "trained": not result.fresh,
            }
        )
        return DONE
    out = output.console()
    for path in result.paths:
        out.print(f"exported {path}")
    out.print(f"largest difference to the network: {result.max_difference:.2g} ({result.checked_with})")
    if result.fresh:
        out.print("the weights are freshly initialised; name a trained run with --run to export what it learnt")
    return DONE
