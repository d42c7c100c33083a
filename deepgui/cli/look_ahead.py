"""``deepgui train --find-lr`` and ``--overfit-batch``: what can be known before a training."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from deepgui.cli import output
from deepgui.cli.errors import DONE, FAILED, CommandError
from deepgui.graph.problems import NetworkError
from deepgui.project.values import Project
from deepgui.training import failures


def run(arguments: Namespace, project: Project) -> int:
    """Print what was found. Status 1 if no learning rate helps, or the batch is not learnt."""
    from deepgui.training.lr_finder import find_lr
    from deepgui.training.sanity import overfit_batch

    try:
        with output.waiting("looking for a learning rate" if arguments.find_lr else "learning one batch by heart"):
            found: Any = find_lr(project) if arguments.find_lr else overfit_batch(project)
    except NetworkError:
        raise
    except Exception as error:
        verdict = failures.explain(error)
        raise CommandError((verdict or failures.unexpected(error)).message, FAILED) from error
    ok = found.suggestion is not None if arguments.find_lr else found.ok
    if arguments.json:
        output.print_json({**asdict(found), "ok": ok, "message": str(found)})
    else:
        output.console().print(str(found))
    return DONE if ok else FAILED
