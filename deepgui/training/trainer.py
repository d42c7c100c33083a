"""The trainer: plain Python that yields events. It knows neither threads nor windows."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from deepgui.catalog.spec import Registry
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.report import Report, check
from deepgui.compiler.weights import start_from
from deepgui.data import legend
from deepgui.data.batches import Batches
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.progress import GivenUp, Progress, listening
from deepgui.graph.problems import NetworkError
from deepgui.project.layer_training import of_network
from deepgui.project.values import Project, main_key
from deepgui.training import checkpoints, layers
from deepgui.training.alarm import Alarm
from deepgui.training.audience import Audience, Observer
from deepgui.training.augmenting import Augmenter
from deepgui.training.autopsy import Autopsy
from deepgui.training.bindings import make_objective, roles
from deepgui.training.compiling import Compilation
from deepgui.training.control import Control
from deepgui.training.crew import assemble
from deepgui.training.devices import computing, deterministic, preload, resolve
from deepgui.training.evaluate import judge, legend_of, split_batches, together
from deepgui.training.events import (
    EpochFinished,
    Event,
    Failed,
    Finished,
    FinishReason,
    Scalars,
    Started,
    StateChanged,
    Warned,
)
from deepgui.training.keeper import Keeper
from deepgui.training.layout import lay_out
from deepgui.training.ledger import Ledger
from deepgui.training.lookback import LookBack
from deepgui.training.objectives import Objective, Score
from deepgui.training.objectives.base import Batch, Networks
from deepgui.training.optim import Length
from deepgui.training.position import Position
from deepgui.training.preflight import batch_norm, preflight
from deepgui.training.steering import Steering
from deepgui.training.stepping import Stepper
from deepgui.training.store import RunError, under_way
from deepgui.training.team import Place, Team, already_hits
from deepgui.training.transfer import Transferred, transfer

if TYPE_CHECKING:
    from torch import fx

FLUSH_SECONDS = {"cpu": 0.03}
FLUSH_SECONDS_ELSEWHERE = 0.1


def _column(metric: str) -> str:
    """The curve of an epoch's metric; the plain names of training metrics are those of the steps."""
    return f"{metric}_epoch" if metric.startswith("train_") else metric


@dataclass(frozen=True)
class RunSpec:
    """What to train: a frozen snapshot.

    Attributes:
        key: which of the project's networks; empty means the main one.
        folder: the run's own folder (``RunStore.create``), or None to keep nothing on disk.
        resume: folder of the run to go on with, in that very folder.
        devices: how many processes of this machine train together, a batch of ``batch_size`` examples each.
        place: of this process among those that train together, if another one has started them.
    """

    project: Project
    key: str = ""
    folder: Path | None = None
    resume: Path | None = None
    devices: int = 1
    place: Place | None = None


class Trainer:
    """Iterate it: every event is yielded in order, and the last is ``Finished`` or ``Failed``. It never raises.

    Attributes (from ``Started`` on):
        networks: the compiled networks by role. module: the first of them. keys: role → key in the project.
        dataset: what they learn from. objective: what is minimised.
        position: where the training stands; step and epoch are shortcuts into it.
        device: where it runs. step_cost: multiply-adds of the forward pass of a step.
        evaluation: the newest :class:`Score` of the validation (at the end: test) split, or None.
    """

    module: fx.GraphModule
    networks: Networks
    keys: dict[str, str]
    dataset: Dataset
    objective: Objective
    stepper: Stepper

    def __init__(
        self,
        spec: RunSpec,
        control: Control | None = None,
        observers: Sequence[Observer] = (),
        *,
        give_way: bool = False,
    ) -> None:
        self.spec = spec
        self._give_way = give_way
        self.config = spec.project.training
        self.key = spec.key or main_key(spec.project)
        self.control = control or Control()
        self.audience = Audience(observers)
        self.position = Position()
        self.device = torch.device("cpu")
        self.evaluation: Score | None = None
        self._steering = Steering(self.control)
        self._keeper: Keeper | None = None
        self._batch: Batch | None = None
        self._together: nn.Module
        self._reason: FinishReason | None = None
        self._best: dict[str, Any] | None = None
        self._compilation: Compilation | None = None
        self._transferred: Transferred | None = None
        self._look_back = LookBack(0)
        self._alarm = Alarm()
        self._opened: list[Batches] = []
        self.step_cost = 0
        self._team: Team | None = None
        self._part: Callable[[], None] = lambda: None

    @property
    def step(self) -> int:
        """Steps done."""
        return self.position.step

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return self.position.epoch

    def __iter__(self) -> Iterator[Event]:
        try:
            for event in self._guarded():
                if self._keeper is not None:
                    self._keeper.record(event)
                yield event
        except (OSError, sqlite3.Error) as error:  # of the record itself
            yield self._failed(error)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the run's files and of the processes that read data."""
        if self._keeper is not None:
            self._keeper.close()
        for batches in self._opened:
            batches.close()
        self._part()

    def _guarded(self) -> Iterator[Event]:
        try:
            yield from self._train()
        except GivenUp:
            folder = self.spec.folder or self.spec.resume
            yield Finished(str(folder or ""), {}, self.step, 0.0, "stopped")
        except Exception as error:  # whatever a layer, a disk or a driver can raise becomes an event
            yield self._failed(error)

    def _train(self) -> Iterator[Event]:
        yield StateChanged("preparing")
        yield from self._prepare()
        with computing(self.step_cost, give_way=self._give_way), deterministic(self.config.deterministic):
            yield from self._learn()

    def _learn(self) -> Iterator[Event]:
        yield self._started()
        yield from self._said_of_compiling()
        if self._keeper is not None:
            yield from self._keeper.save_first(self.state(), self._elements)
        if self._at_limit and self.position.index < self.steps_per_epoch:  # else that epoch is closed first
            self._reason = "max_steps"
        while self.epoch < self.config.epochs and self._reason is None:
            yield from self._run_epoch()
            if self.position.index == self.steps_per_epoch:
                yield from self._close_epoch()
        if self._reason == "stopped":
            yield StateChanged("stopping")
        yield from self._finish()

    # -- before the first step

    def prepare(self) -> None:
        """Make everything ready for the first step, for those who take single steps; :meth:`close` it then.

        Raises what keeps it from training.
        """
        for _ in self._prepare():
            pass

    def _prepare(self) -> Iterator[Event]:
        project, config = self.spec.project, self.config
        if self.spec.resume is None:  # else only once it is sure that the run can go on: a refusal must not mark it
            self._keeper = Keeper(self.spec.folder, config.checkpoint_minutes)
        network = project.networks.get(self.key)
        kinds = catalogue(project.blocks)
        report = check(network, kinds) if network else None
        with listening(self._heed_progress):
            problems = preflight(project, self.key, kinds, report)
        if network is None or any(p.severity == "error" for p in problems):
            raise NetworkError(problems)
        yield from (Warned(p.message) for p in problems)
        preload()
        self._team, self._part = assemble(self.spec, self._heed_stopping)
        self.device = self._team.device if self._team else torch.device(resolve(config.device).id)
        self._build(kinds, report)
        if self._transferred is not None:
            yield Warned(str(self._transferred))
        state = self._state_of(self.spec.resume) if self.spec.resume is not None and self._leads else None
        norms = [batch_norm(project.networks[key]) for key in self.keys.values()]
        self._bind(drop_single=any(norm is not None for norm in norms))
        if self._team is not None:
            state = self._team.given(state)
        if self.spec.resume is not None and state is not None:
            self.restore(state)
            self._keeper = Keeper(self.spec.resume if self._leads else None, config.checkpoint_minutes)
            self._keeper.rewind(self.step)
            if self.stepper.schedule.renewed:
                yield Warned(
                    f"{config.scheduler} is laid out anew over {config.epochs:,} epochs ({self.total_steps:,} steps): "
                    f"the learning rate goes on at {self.stepper.lr:.3g}."
                )
        self._began = perf_counter() - self.position.seconds
        if self._team is not None and (warning := self._team.begin(self._together, config.seed, self.step)):
            yield Warned(warning)
        self._look_back = LookBack(self._elements if self._team is None else None)
        self._remember()
        if self._compilation is not None:
            self._rehearse(self._compilation)
        if self._keeper is not None:
            self._keeper.explain(legend_of(self.objective))
            self._keeper.begin()
        self._period = FLUSH_SECONDS.get(self.device.type, FLUSH_SECONDS_ELSEWHERE)
        self._flush_at = perf_counter() + self._period

    def _build(self, kinds: Registry, report: Report | None) -> None:
        """The networks of all roles, built in their order."""
        project, config = self.spec.project, self.config
        torch.manual_seed(config.seed)
        self.keys = roles(project, self.key)
        reports = {
            role: report if key == self.key and report else check(project.networks[key], kinds)
            for role, key in self.keys.items()
        }
        self.step_cost = sum(found.multiply_adds for found in reports.values()) * config.batch_size
        modules = {r: build(project.networks[key], kinds, reports[r]) for r, key in self.keys.items()}
        self.module = next(iter(modules.values()))
        if self.spec.resume is None:
            start_from(self.module, project.weights)
            self._transferred = transfer(together(modules), config.start_from) if config.start_from else None
        self._factors: dict[Tensor, float] = {}
        for role, key in self.keys.items():
            own = of_network(project, key)
            layers.begin(modules[role], own)
            layers.freeze(modules[role].to(self.device), own)
            self._factors |= layers.factors(modules[role], own)
        self.networks, self._together = Networks(modules), together(modules)
        lay_out(self._together, self.step_cost, self.device)

    def _rehearse(self, compilation: Compilation) -> None:
        """Compile before the first step: what fails only on the way back would end the training."""
        before = checkpoints.cloned(self._together.state_dict())
        with checkpoints.same_random_numbers(self.device), deterministic(self.config.deterministic):
            self.networks.train()
            for batch in islice(self.batches(), 1):
                try:
                    self.stepper.rehearse(batch)
                except Exception as error:  # a compiler can raise anything; a layer at fault will raise again
                    compilation.give_up(error)
        self._together.load_state_dict(before)

    def _said_of_compiling(self) -> Iterator[Warned]:
        """Once, why the networks are not compiled."""
        if self._compilation is not None and (complaint := self._compilation.complaint):
            self._compilation = None
            yield Warned(complaint)

    def _state_of(self, run: Path) -> checkpoints.State:
        """Where a run's last checkpoint left it. Raises CheckpointError or RunError if it cannot go on."""
        if under_way(run):
            raise RunError(f"The run {run.name} is still being trained by another process: stop that one first.")
        state = checkpoints.load(run / "checkpoints" / "last.pt")
        checkpoints.load_weights(self._together, state["module"], run)
        return state

    def _heed_progress(self, progress: Progress) -> None:
        """While the data is read: nothing is trained that could be kept, so stopping gives up."""
        self._heed_stopping()

    def _heed_stopping(self) -> None:
        if self.control.stopping:
            raise GivenUp

    def _bind(self, *, drop_single: bool) -> None:
        """Join module, data and settings.

        Args:
            drop_single: leave an example out that is alone in the last batch of an epoch.
        """
        project, config = self.spec.project, self.config
        known = legend.read(self.spec.resume) if self.spec.resume is not None else None
        with listening(self._heed_progress):
            self.dataset = prepare(project.data, config.objective, known)
        self.objective = make_objective(project, self.key, self.dataset)
        self.objective.to(self.device)
        drop = drop_single and len(self.dataset.train) % config.batch_size == 1
        if self._team is None:
            self._batches = Batches(self.dataset.train, config.batch_size, self.device, True, config.seed, drop)
        else:
            self._batches = self._team.shares(self.dataset.train, config.batch_size, config.seed, drop_single)
        changes = config.augmentation
        self._augmenter = Augmenter(changes, self.dataset, config.seed) if changes else None
        self._splits = {name: split_batches(self.dataset, name, self.device) for name in ("validation", "test")}
        self._opened = [self._batches, *self._splits.values()]
        self.steps_per_epoch = len(self._batches)
        self.total_steps = min(config.epochs * self.steps_per_epoch, config.max_steps or sys.maxsize)
        length = Length(self.steps_per_epoch, config.epochs, self.total_steps)
        self._compilation = Compilation(self.networks) if config.compile else None
        running = self._compilation.networks if self._compilation else self.networks
        self.stepper = Stepper(running, self.objective, config, self.device, length, self._factors, self._team)
        hits = self.objective.hits if self._team is None else already_hits
        self._ledger = Ledger(hits, self.device, self.position.sums)

    def _started(self) -> Started:
        return Started(
            run=str(self._keeper.folder or "") if self._keeper else "",
            device=str(self.device),
            precision=self.config.precision,
            parameters=self._elements,
            steps_per_epoch=self.steps_per_epoch,
            total_steps=self.total_steps,
            epochs=self.config.epochs,
            resumed_from=self.step if self.spec.resume is not None else None,
        )

    # -- an epoch

    def _run_epoch(self) -> Iterator[Event]:
        position, stepper, ledger, control = self.position, self.stepper, self._ledger, self.control
        if not self.module.training:  # setting the mode goes through every layer
            self.networks.train()
        for batch in self.batches():
            if control.wanted or self._team is not None:
                yield from self._steering.obey(self)
                if control.stopping if self._team is None else self._team.agree(self):
                    self._reason = "stopped"
                    return
            due = perf_counter() >= self._flush_at or ledger.full
            self._batch = batch
            rate = stepper.lr
            outcome = stepper(batch, position.index, position.step)
            position.step += 1
            position.index += 1
            ledger.add(position.step, outcome, rate)
            if due:
                yield from self._pulse()
            if self._at_limit and position.index < self.steps_per_epoch:
                self._reason = "max_steps"
                return

    @property
    def _leads(self) -> bool:
        """Whether this process keeps the run and evaluates."""
        return self._team is None or self._team.leads

    @property
    def _elements(self) -> int:
        return sum(p.numel() for p in self.stepper.parameters)

    @property
    def _at_limit(self) -> bool:
        return self.config.max_steps is not None and self.step >= self.config.max_steps

    def batches(self) -> Iterator[Batch]:
        """The batches of the present epoch that are still to come."""
        batches = self._batches.epoch(self.position.epoch, start=self.position.index)
        with checkpoints.same_random_numbers(self.device):  # a loader draws its workers' seeds when it starts
            first = list(islice(batches, 1))
        if self._augmenter is not None:
            return self._augmenter(chain(first, batches), self.position.epoch, self.position.index)
        return chain(first, batches)

    def _pulse(self) -> Iterator[Event]:
        """What is due now and then: curves, pictures, checkpoints."""
        assert self._keeper is not None
        yield from self.flush()
        yield from self._said_of_compiling()
        now = perf_counter()
        if self.audience.due(now):
            yield from self.audience.look(self)
        if self._keeper.due(now):
            yield from self.flush(wait=True)
            yield self._keeper.save(self.state(), "interval")
        if self._look_back.due(now):
            yield from self.flush(wait=True)
            self._remember()
        self._flush_at = perf_counter() + self._period

    def _remember(self) -> None:
        if self._look_back.due(perf_counter()):
            self._look_back.take(self.state())

    def flush(self, *, wait: bool = False) -> Iterator[Event]:
        """The curves that have arrived from the device; with ``wait`` all of them. Raises NotFiniteError."""
        scalars, bad = self._ledger.read(wait=wait)
        for piece in scalars:
            yield piece
            yield from self._heed(piece.columns.get("train_loss", ()))  # a part that not every step has comes alone
        if bad is not None and self._leads:
            raise bad

    def _heed(self, losses: Sequence[float], *, at_end: bool = False) -> Iterator[Warned]:
        if self.position.first_loss is None and losses:
            self.position.first_loss = losses[0]
        if warning := self._alarm.heed(self.position.first_loss or 0.0, losses, at_end=at_end):
            yield Warned(warning)

    def set_number(self, name: str, value: float) -> bool:
        """Change a number for the steps to come; False if there is none of that name (:meth:`Stepper.set_number`)."""
        if not self.stepper.set_number(name, value):
            return False
        self._look_back.changed(self.step, name, value)
        if self._team is not None:
            self._team.changed(name, value)
        self._alarm.rearm()
        return True

    # -- after an epoch

    def _close_epoch(self) -> Iterator[Event]:
        assert self._keeper is not None
        yield from self.flush(wait=True)
        position = self.position
        metrics = {**position.sums.metrics(), **self.judge("validation", "val")}
        if self._team is not None:
            metrics = self._team.given(metrics)
        watched = self._watched(metrics)
        self._look_back.epoch_closed(position.epoch, watched)
        columns = {_column(name): (value,) for name, value in metrics.items()}
        self.stepper.epoch_finished(watched)
        best = position.close_epoch(metrics, watched)
        self._ledger.sums = position.sums
        if best:
            self._best = checkpoints.cloned(self.weights())
        yield Scalars((position.step,), columns)
        yield EpochFinished(position.epoch, position.step, metrics, self._seconds(), best)
        if self._best is not None and best and self._keeper.best_due(perf_counter()):
            yield self._keeper.save_best(self._best, {"network": self.key, "metrics": metrics}, position.step)
        if self.config.early_stopping is not None and position.idle_epochs >= self.config.early_stopping:
            self._reason = "early_stopping"
        elif self._at_limit:
            self._reason = "max_steps"

    def judge(self, split: str, prefix: str) -> dict[str, float]:
        """Evaluate a split now: its metrics as ``prefix_name``; empty if it has no examples."""
        if not self._leads:
            return {}
        batches, average = self._splits[split], self.stepper.average
        averaged = average.in_place() if average is not None else nullcontext()
        with checkpoints.same_random_numbers(self.device), averaged:
            score = judge(self.networks, self.objective, batches, self.config.precision)
        self.evaluation = score or self.evaluation
        return {f"{prefix}_{name}": value for name, value in score.metrics.items()} if score else {}

    def weights(self) -> dict[str, Tensor]:
        """The weights that are judged and kept, by name: averaged ones if there are. Not copied."""
        average = self.stepper.average
        return average.state_dict() if average is not None and average.count else self._together.state_dict()

    def _watched(self, metrics: Mapping[str, float]) -> float:
        """What tells the best epoch: the lower the better."""
        name = self.objective.watches
        if not name:
            return -float(self.epoch)
        found = metrics.get(f"val_{name}", metrics.get(f"train_{name}"))
        return metrics["train_loss"] if found is None else found

    def _seconds(self) -> float:
        """Time spent training, earlier parts of a resumed run included and pauses left out."""
        return perf_counter() - self._began - self._steering.idle_seconds

    # -- at the end

    def _finish(self) -> Iterator[Event]:
        yield from self.flush(wait=True)
        yield from self._heed((), at_end=True)
        assert self._keeper is not None
        position, reason = self.position, self._reason or "completed"
        metrics, kept, about = position.metrics, self._best, position.best_metrics
        if position.index or kept is None:  # ended inside an epoch: its weights may be the best so far
            metrics = {**position.sums.metrics(), **self.judge("validation", "val")}
            watches = self.objective.watches
            if kept is None or not watches or (f"val_{watches}" in metrics and self._watched(metrics) < position.best):
                kept, about = checkpoints.cloned(self.weights()), metrics
        if self._keeper.folder is not None:
            yield self._keeper.save(self.state(), "stop" if reason == "stopped" else "end")
            yield self._keeper.save_best(kept, {"network": self.key, "metrics": about}, position.step)
        average, self.stepper.average = self.stepper.average, None
        if self.config.restore_best:
            self._together.load_state_dict(kept)
            metrics = about
        elif average is not None and average.count:
            self._together.load_state_dict(checkpoints.cloned(average.state_dict()))
        seconds = self._seconds()
        metrics = {**metrics, **self.judge("test", "test")}
        self.networks.train(False)
        yield Finished(str(self._keeper.folder or ""), metrics, position.step, seconds, reason)

    # -- states and failures

    def state(self) -> checkpoints.State:
        """All that a resumed training needs, as tensors and plain values; not copied. Flush first."""
        self.position.seconds = self._seconds()
        return {
            "network": self.key,
            "module": self._together.state_dict(),
            **self._averaged(),
            "stepper": self.stepper.state_dict(),
            "random": checkpoints.random_state(self.device),
            "position": self.position.state_dict(),
            "best": self._best,
        }

    def _averaged(self) -> checkpoints.State:
        average = self.stepper.average
        return {} if average is None else {"average": average.state_dict(), "averaged": average.count}

    def restore(self, state: checkpoints.State) -> None:
        """Back to where :meth:`state` was taken, to the last bit."""
        self._together.load_state_dict(state["module"])
        if self.stepper.average is not None and "average" in state:
            self.stepper.average.load_state_dict(state["average"], state["averaged"])
        self.stepper.load_state_dict(state["stepper"])
        checkpoints.set_random_state(state["random"], self.device)
        self.position = Position.from_state(state["position"])
        self._ledger.sums = self.position.sums
        self._best = state["best"]

    def _failed(self, error: Exception) -> Failed:
        failed = Autopsy(self, self._batch, self._look_back).of(error)
        if self._team is not None:
            self._team.failed(failed.message)
        return failed
