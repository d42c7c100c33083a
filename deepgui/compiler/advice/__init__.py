"""Why a layer cannot take what arrives, in words that a person can act on, with the edit that mends it.

Each module here has one kind of mistake for its subject. A problem of a wire names node and port, what was expected
and what arrived; its reason says why and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from deepgui.catalog.own.loading import obstacle
from deepgui.compiler.advice.answers import bad_answers
from deepgui.compiler.advice.case import Case
from deepgui.compiler.advice.counting import wrong_counts, wrong_places
from deepgui.compiler.advice.doubts import doubts
from deepgui.compiler.advice.dtypes import wrong_dtypes
from deepgui.compiler.advice.graphs import wrong_graphs
from deepgui.compiler.advice.joining import wrong_meetings
from deepgui.compiler.advice.layouts import wrong_layouts
from deepgui.compiler.advice.refused import refused
from deepgui.compiler.advice.sizes import indivisible, wrong_sizes
from deepgui.compiler.advice.windows import wrong_output_padding, wrong_windows
from deepgui.graph.problems import Problem

__all__ = ["Case", "advise", "bad_answers"]


def advise(case: Case) -> Iterator[Problem]:
    """All that is wrong with a layer in the light of the types that arrive; nothing if all is well."""
    if why := obstacle(case.spec.target):
        yield case.problem("own-code", f"{case.node.kind} {why}.")
        return
    found = list(_found(case))
    yield from found
    if not found:
        yield from doubts(case)


def _found(case: Case) -> Iterator[Problem]:
    """Errors, those nearest to the cause: one that follows from another is not said."""
    arriving = [*wrong_dtypes(case), *wrong_layouts(case)]
    ill = {problem.port for problem in arriving}
    arriving += [problem for problem in wrong_sizes(case) if problem.port not in ill]
    yield from arriving
    if arriving:
        return
    always = [*wrong_output_padding(case), *wrong_places(case), *wrong_graphs(case)]
    yield from always
    if always or not case.facts.error:
        return
    for look in (indivisible, wrong_windows, wrong_meetings, wrong_counts):
        found = list(look(case))
        yield from found
        if found:
            return
    yield refused(case)
