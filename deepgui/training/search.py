"""Looking for the best settings: Optuna proposes, the trainer tries, and every trial is a run like any other."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepgui.catalog.spec import Value
from deepgui.graph.problems import NetworkError
from deepgui.project.encode import plain_value
from deepgui.project.file import meaning_hash
from deepgui.project.ranges import Choices, Range, Space, plain, size
from deepgui.project.search import UNSET, SearchError, complaints, label, value_at, with_values
from deepgui.project.values import Project, main_key
from deepgui.training import ranking
from deepgui.training.compare import say
from deepgui.training.control import Control
from deepgui.training.events import EpochFinished, Event, Failed, Finished
from deepgui.training.proposals import encoded, suggest, values_of
from deepgui.training.store import RunError, RunStore, under_way, update_info

if TYPE_CHECKING:
    import optuna

FILE = "search.sqlite"
"""Lies beside the runs that its trials are."""
METRIC = "val_loss"
STARTUP = 5
"""So many trials are made before any is cut short or chosen by what the earlier ones gave."""
STOPPED = "stopped before its end"
HOPELESS = 5
"""If so many trials fail one after the other, something is wrong that no setting mends."""


@dataclass(frozen=True)
class Trial:
    """One attempt.

    Attributes:
        values: by path, what was tried. state: ``running``, ``completed``, ``pruned`` or ``failed``.
        value: of the metric; None if it never came so far.
        run: the folder of its run; empty if it could not begin.
        message: why it failed.
    """

    number: int
    values: Mapping[str, Value]
    state: str
    value: float | None = None
    run: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class TrialStarted(Event):
    trial: int
    values: Mapping[str, Value]
    run: str


@dataclass(frozen=True, slots=True)
class TrialFinished(Event):
    """``state``, ``value``, ``message``: of :class:`Trial`. ``best``: no earlier trial was better."""

    trial: int
    state: str
    value: float | None
    message: str
    run: str
    best: bool


def need() -> Any:
    """Optuna itself. Raises SearchError if it is not installed."""
    try:
        import optuna
    except ImportError:
        raise SearchError("Optuna is not installed: pip install deepgui[search].") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


class Search:
    """The search of a project. Iterate :meth:`run` to make it happen; what was tried earlier counts on.

    A search is the same one as long as the project, what is varied and the metric are; else another begins beside it.

    Args:
        root: where runs are kept.
        metric: what is to be made good: ``val_loss``, ``val_accuracy``, ...; whether less or more of it is better is
            known from its name.
    """

    def __init__(self, project: Project, root: Path, metric: str = METRIC) -> None:
        """Raises SearchError: nothing to vary, or it cannot be varied so; Optuna is not installed."""
        wrong = complaints(project)
        if wrong:
            raise SearchError(wrong[0])
        if not project.search:
            raise SearchError("Nothing is marked to be searched over yet; name a setting and its range.")
        if metric.startswith("test_"):
            raise SearchError(f"Choosing by {metric} would spoil the test split; search by val_{metric[5:]} instead.")
        if metric.startswith("val_") and project.data.validation <= 0:
            raise SearchError(f"There is no validation split that {metric} could be measured on; make one in the data.")
        self._optuna = need()
        self.project, self.metric = project, metric
        self.store = RunStore(root)
        self.space: Space = project.search
        self.name = f"{project.name}-{_fingerprint(project, metric)}"
        self._stopping = False
        self._control = Control()
        self.study = self._open()

    def _open(self) -> optuna.Study:
        optuna = self._optuna
        self.store.root.mkdir(parents=True, exist_ok=True)
        storage = optuna.storages.RDBStorage(f"sqlite:///{(self.store.root / FILE).absolute()}")
        study = optuna.create_study(
            study_name=self.name,
            storage=storage,
            direction="maximize" if ranking.higher_is_better(self.metric) else "minimize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=1),
            load_if_exists=True,
        )
        self._storage = storage
        before = len(study.get_trials(deepcopy=False))
        study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=self.project.training.seed + before)
        return study  # type: ignore[no-any-return]

    # -- what is known

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All that were made, in order."""
        return tuple(self._trial(frozen) for frozen in self.study.get_trials(deepcopy=False) if frozen.params)

    @property
    def best(self) -> Trial | None:
        """The best that came to its end; None if none did."""
        ended = [trial for trial in self.trials if trial.state == "completed" and trial.value is not None]
        if not ended:
            return None
        choose = max if ranking.higher_is_better(self.metric) else min
        return choose(ended, key=lambda trial: trial.value or 0.0)

    def best_project(self) -> Project:
        """The project with the best values found. Raises SearchError if there are none yet."""
        best = self.best
        if best is None:
            raise SearchError("No trial came to its end, so there are no best settings.")
        return with_values(self.project, best.values)

    def importance(self) -> dict[str, float]:
        """By path, how much of what came out is due to it, in [0, 1]; empty while too little was tried."""
        if sum(trial.state == "completed" for trial in self.trials) < 2:
            return {}
        try:
            found = self._optuna.importance.get_param_importances(self.study)
        except (RuntimeError, ValueError, ImportError):  # nothing varied, or all came out the same
            return {}
        return {path: float(share) for path, share in found.items()}

    def _trial(self, frozen: Any) -> Trial:
        states = {"COMPLETE": "completed", "PRUNED": "pruned", "FAIL": "failed"}
        told = frozen.user_attrs
        values = values_of(self.space, frozen.params)
        known = frozen.value if frozen.value is not None else frozen.intermediate_values.get(frozen.last_step)
        state = states.get(frozen.state.name, "running")
        run = str(self.store.root / told["run"]) if "run" in told else ""
        return Trial(frozen.number, values, state, known, run, told.get("message", ""))

    # -- searching

    @property
    def stopping(self) -> bool:
        return self._stopping

    def stop(self) -> None:
        """End the trial under way, and the search with it. For another thread, or a signal."""
        self._stopping = True
        self._control.stop()

    def run(self, trials: int, timeout: float | None = None) -> Iterator[Event]:
        """Make so many trials more, or as many as begin within ``timeout`` seconds.

        Where all combinations can be counted and so many trials cover them, each is tried once. Yields
        :class:`TrialStarted`, the events of its training, :class:`TrialFinished`, and so on.

        Raises:
            SearchError: one trial after the other fails; the message says why.
        """
        self._clear_up()
        self._plan(trials)
        until = math.inf if timeout is None else time.monotonic() + timeout
        failures = 0
        for _ in range(self._worth(trials)):
            if self._stopping or time.monotonic() >= until:
                return
            ended = yield from self._try()
            yield ended
            failures = failures + 1 if ended.state == "failed" else 0
            if failures >= HOPELESS and self.best is None:
                raise SearchError(f"{failures} trials failed one after the other; the last: {ended.message}")

    def close(self) -> None:
        """Let go of the file of trials."""
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _clear_up(self) -> None:
        """Trials whose process died are over."""
        for frozen in self.study.get_trials(deepcopy=False):
            if frozen.state.name == "RUNNING" and not self._alive(frozen.user_attrs.get("run", "")):
                self.study.tell(frozen.number, state=self._optuna.trial.TrialState.FAIL)

    def _alive(self, run: str) -> bool:
        try:
            return bool(run) and under_way(self.store.root / run)
        except RunError:
            return False

    def _plan(self, trials: int) -> None:
        """The project as it is comes first; where all combinations can be tried, each is to come."""
        frozen = self.study.get_trials(deepcopy=False)
        planned = [_planned(f) for f in frozen if f.state.name == "WAITING" or _counts(f)]
        tried = [values_of(self.space, params) for params in planned]
        count = size(self.space)
        if count is not None and count <= len(tried) + trials:
            finite = [choice.finite() or () for choice in self.space.values()]
            every = [dict(zip(self.space, values, strict=True)) for values in product(*finite)]
            wanted = [values for values in every if values not in tried]
        else:
            present = {path: value_at(self.project, path) for path in self.space}
            known = {path: v for path, v in present.items() if v is not UNSET and self.space[path].holds(v)}
            wanted = [known] if known and not tried else []
        for values in wanted:
            self.study.enqueue_trial({path: encoded(self.space[path], value) for path, value in values.items()})

    def _worth(self, trials: int) -> int:
        """So many trials, or fewer where there is no more to try."""
        count = size(self.space)
        done = sum(_counts(frozen) for frozen in self.study.get_trials(deepcopy=False))
        return trials if count is None else max(0, min(trials, count - done))

    def _try(self) -> Generator[Event, None, TrialFinished]:
        """One trial; gives how it ended."""
        trial = self.study.ask()
        values = {path: suggest(trial, path, choice) for path, choice in self.space.items()}
        try:
            project = self._project_of(values)
            folder = self.store.create(project)
        except (ValueError, NetworkError, OSError) as error:
            return self._settle(trial, "failed", None, " ".join(str(error).split()))
        trial.set_user_attr("run", folder.name)
        said = ", ".join(f"{label(self.project, path)} {say(value)}" for path, value in values.items())
        self.store.describe(str(folder), title=f"trial {trial.number}", tags=(f"search {self.name[-4:]}",), note=said)
        yield TrialStarted(trial.number, values, str(folder))
        try:
            state, value, message = yield from self._follow(trial, project, folder)
        except SearchError as error:
            self._settle(trial, "failed", None, str(error))
            raise
        if state == "pruned":
            update_info(folder, status="pruned")
        return self._settle(trial, state, value, message, str(folder))

    def _project_of(self, values: Mapping[str, Value]) -> Project:
        """What a trial trains. Raises NetworkError with what stands against it."""
        from deepgui.compiler.catalogue import catalogue
        from deepgui.training.preflight import preflight

        project = replace(with_values(self.project, values), search={})
        problems = preflight(project, main_key(project), catalogue(project.blocks))
        wrong = tuple(problem for problem in problems if problem.severity == "error")
        if wrong:
            raise NetworkError(wrong)
        return project

    def _follow(
        self, trial: optuna.Trial, project: Project, folder: Path
    ) -> Generator[Event, None, tuple[str, float | None, str]]:
        """Train, and give up where the earlier trials were better; gives state, value and message."""
        from deepgui.training.trainer import RunSpec, Trainer

        self._control = Control()
        if self._stopping:
            self._control.stop()
        pruned, last = False, None
        with closing(iter(Trainer(RunSpec(project, folder=folder), self._control))) as events:  # type: ignore[type-var]
            for event in events:
                yield event
                last = event
                if isinstance(event, EpochFinished) and not pruned:
                    trial.report(self._measured(event.metrics), event.epoch)
                    pruned = trial.should_prune()
                    if pruned:
                        self._control.stop()
        if isinstance(last, Failed):
            return "failed", None, last.message
        if not isinstance(last, Finished) or (last.reason == "stopped" and not pruned):
            return "failed", None, STOPPED
        value = self._measured(last.metrics)
        if not math.isfinite(value):
            return "failed", None, f"{self.metric} is not a finite number."
        return ("pruned" if pruned else "completed"), value, ""

    def _measured(self, metrics: Mapping[str, float]) -> float:
        if self.metric not in metrics:
            have = ", ".join(name for name in metrics if not name.startswith("test_"))
            raise SearchError(f"A training has no {self.metric} to search by; it has {have}.")
        return metrics[self.metric]

    def _settle(
        self, trial: optuna.Trial, state: str, value: float | None, message: str, run: str = ""
    ) -> TrialFinished:
        """Tell Optuna how a trial ended."""
        states = self._optuna.trial.TrialState
        if message:
            trial.set_user_attr("message", message)
        if state == "completed":
            self.study.tell(trial, value)
        else:
            self.study.tell(trial, state=states.PRUNED if state == "pruned" else states.FAIL)
        best = self.best
        is_best = state == "completed" and best is not None and best.number == trial.number
        return TrialFinished(trial.number, state, value, message, run, is_best)


def _counts(frozen: optuna.trial.FrozenTrial) -> bool:
    """Whether a trial said something; one that was cut off by a person or a crash is to be made again."""
    message = frozen.user_attrs.get("message", "")
    return frozen.state.is_finished() and (frozen.state.name != "FAIL" or message not in ("", STOPPED))


def _planned(frozen: optuna.trial.FrozenTrial) -> dict[str, Any]:
    return dict(frozen.params or frozen.system_attrs.get("fixed_params", {}))


def _fingerprint(project: Project, metric: str) -> str:
    """The same for projects that differ only in what is varied anyway."""
    first = {path: _first(choice) for path, choice in project.search.items()}
    space = {path: plain(choice, lambda v: plain_value(v, "search")) for path, choice in sorted(project.search.items())}
    parts = [meaning_hash(with_values(project, first)), space, metric]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def _first(choice: Range | Choices) -> Value:
    return choice.low if isinstance(choice, Range) else choice.values[0]
