"""Pictures while nothing trains: the network with its initial or last trained weights, off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from deepgui.catalog.spec import Registry
from deepgui.graph.blocks import uses
from deepgui.probes.board import Board
from deepgui.project.values import Project, main_key
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.session import Session

if TYPE_CHECKING:
    from deepgui.probes.observe import Subject

DEBOUNCE_MS = 120
_NAME = "idle_prober"


@dataclass
class _Built:
    """The network last built for looking, and what it was built from."""

    key: tuple[Any, ...]
    subject: Subject


class IdleProber(QObject):
    """Keeps the board's pictures fresh while no run steps. One serves all docks: get it with :meth:`of`.

    ``updated`` fires after new pictures (or a new :attr:`problem`) are there.
    """

    updated = Signal()

    def __init__(self, session: Session, controller: RunController) -> None:
        super().__init__(controller)
        self.setObjectName(_NAME)
        self.session, self.controller = session, controller
        self.problem = ""
        self._built: _Built | None = None
        self._closed = False
        controller.board.network = session.key
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._look)
        session.changed.connect(self._on_change)
        session.registry_ready.connect(self.ask)
        session.document_replaced.connect(self._forget)
        session.level_changed.connect(self._on_level)
        controller.run_finished.connect(lambda _: self.ask())
        controller.closing.connect(self._close)

    @classmethod
    def of(cls, session: Session, controller: RunController) -> IdleProber:
        """The prober of this controller, made at the first call."""
        found = controller.findChild(cls, _NAME)
        return found or cls(session, controller)

    def ask(self) -> None:
        """Look soon; many calls in a moment are one look."""
        if self.controller.board.watched and not self._closed:
            self._timer.start()

    def _close(self) -> None:
        self._closed = True
        self._timer.stop()

    def _on_change(self, before: Project, after: Project) -> None:
        same = before.networks is after.networks and before.data is after.data and before.blocks is after.blocks
        if not same or before.training is not after.training:
            self.ask()

    def _on_level(self) -> None:
        if self.controller.board.network != self.session.key:
            self.controller.board.network = self.session.key
            self.ask()

    def _forget(self) -> None:
        self._built = None
        self.controller.board.network = self.session.key
        self.problem = ""
        self.controller.board.clear()
        self.updated.emit()
        self.ask()

    def _look(self) -> None:
        controller = self.controller
        if controller.active:
            controller.look_now()
            return
        if not self.session.ready or not controller.board.watched:
            return
        project, registry, board = self.session.project, self.session.registry, controller.board
        trained, built, learnt = _trained(project, controller), self._built, _learnt(project, controller)
        controller.worker.submit("idle", lambda: look(project, registry, board, trained, built, learnt), self._looked)

    def answer(self, slot: str, question: Callable[[Subject], Any], then: Callable[[Any], None]) -> bool:
        """Have ``question(subject)`` answered off the GUI thread while nothing trains, and ``then`` in it.

        ``then`` gets :class:`Broken` if the drawing or the data is not ready. False if it is too early or too late.
        """
        project, controller = self.session.project, self.controller
        if self._closed or not self.session.ready:
            return False
        registry, built = self.session.registry, self._built
        trained, learnt = _trained(project, controller), _learnt(project, controller)

        def job() -> Any:
            subject, kept = subject_of(project, registry, controller.board.network, trained, built, learnt)
            return kept, question(subject)

        def came(result: Any) -> None:
            if not isinstance(result, Broken):
                self._built, result = result
            then(result)

        controller.worker.submit(slot, job, came)
        return True

    def _looked(self, result: Any) -> None:
        if isinstance(result, Broken):
            self.problem = " ".join(str(result.error).split()) or type(result.error).__name__
        else:
            self.problem = self.controller.board.problem
            self._built = result
        self.updated.emit()


def _trained(project: Project, controller: RunController) -> Subject | None:
    """What the last run trained, if the drawing and the data are still those it was trained on."""
    before, last = controller.project, controller.board.last
    if before is None or last is None:
        return None
    same = _meaning(project) == _meaning(before) and project.data == before.data
    return last if same else None


def _learnt(project: Project, controller: RunController) -> Subject | None:
    """What the last run trained on this data, though the drawing may have been edited since."""
    before = controller.project
    return controller.board.last if before is not None and project.data == before.data else None


def _meaning(project: Project) -> tuple[object, ...]:
    """What the networks and the blocks in them compute, layout aside."""
    networks = {key: network.meaning() for key, network in project.networks.items()}
    used = {name for network in project.networks.values() for name in uses(network, project.blocks)}
    blocks = {name: project.blocks[name] for name in used}
    return networks, {name: (block.params, block.code, *block.network.meaning()) for name, block in blocks.items()}


def look(
    project: Project,
    registry: Registry,
    board: Board,
    trained: Subject | None,
    built: _Built | None,
    learnt: Subject | None = None,
) -> _Built | None:
    """Look at the trained network, else at a new one as training would begin with. Returns what to keep.

    Raises NetworkError or DataError if the drawing or the data is not ready; one plain sentence.
    """
    subject, kept = subject_of(project, registry, board.network, trained, built, learnt)
    board.observe(subject)
    return kept


def subject_of(
    project: Project,
    registry: Registry,
    shown: str,
    trained: Subject | None,
    built: _Built | None,
    learnt: Subject | None,
) -> tuple[Subject, _Built | None]:
    """What there is to look at, and what to keep.

    Where every layer of the new one is one of ``learnt``'s (some were put into a block or renamed), it has its weights.

    Raises NetworkError or DataError if the drawing or the data is not ready; one plain sentence.
    """
    if trained is not None:
        return trained, built
    training = project.training
    learns = training.seed, training.objective, tuple(sorted(training.objective_options.items()))
    source = None if learnt is None else (id(learnt.module), learnt.step)
    key = (_meaning(project), shown, project.data, source, *learns)
    if built is None or built.key != key:
        built = _Built(key, _moved(learnt, _build(project, registry, shown)))
    return built.subject, built


def _moved(learnt: Subject | None, fresh: Subject) -> Subject:
    """The fresh network with what was learnt, if all of its layers were there before some edits."""
    from deepgui.compiler.carry import carry, load

    if learnt is None:
        return fresh
    carried = carry(learnt.module, fresh.module)
    if carried.fresh or not carried.names:
        return fresh
    load(learnt.module, fresh.module, carried)
    return replace(fresh, step=learnt.step)


def _build(project: Project, registry: Registry, shown: str) -> Subject:
    """``shown``: key of the network that is looked at."""
    import torch

    from deepgui.compiler.build import build
    from deepgui.compiler.weights import start_from
    from deepgui.data.dataset import prepare
    from deepgui.probes.observe import Subject, preview
    from deepgui.training.bindings import make_objective, roles
    from deepgui.training.objectives.base import Networks

    key = main_key(project)
    dataset = prepare(project.data, project.training.objective)
    objective, playing = make_objective(project, key, dataset), roles(project, key)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(project.training.seed)
        modules = {role: build(project.networks[own], registry) for role, own in playing.items()}
        start_from(next(iter(modules.values())), project.weights)
    role = next((r for r, own in playing.items() if own == shown), objective.roles[0])
    networks = Networks(modules)
    look, learner = partial(preview, objective, networks), (objective, networks)
    return Subject(modules[role], dataset, objective.feeds[role], 0, objective.complete, look, learner)
