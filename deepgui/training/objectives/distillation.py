"""Learning from a trained network: a smaller one takes over what a larger one knows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.catalog.spec import ParamSpec
from deepgui.data.errors import DataError
from deepgui.data.fields import shown
from deepgui.graph.problems import NetworkError, Problem
from deepgui.project.decode import FileError
from deepgui.training.objectives.base import Batch, Networks, ObjectiveError, Outcome, Outlook
from deepgui.training.objectives.classification import Classification

if TYPE_CHECKING:
    from deepgui.data.dataset import Dataset
    from deepgui.training.evaluate import Trained


class Distillation(Classification):
    """Answers like those of a teacher, how unsure it is included, beside the true classes (Hinton et al. 2015).

    The teacher is an earlier run. It does not learn, and is not needed once the training is over: a split is judged
    by the true classes alone.
    """

    id: ClassVar[str] = "distillation"
    title: ClassVar[str] = "Distillation"
    summary: ClassVar[str] = "Let a small network learn from a trained, larger one."
    targets: ClassVar[frozenset[str]] = frozenset(("label",))
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("teacher", "str", default="", doc="The folder of the run whose network is the teacher."),
        ParamSpec(
            "temperature",
            "float",
            default=4.0,
            minimum=0.1,
            doc="The higher, the more counts what the teacher thinks of the other classes.",
        ),
        ParamSpec(
            "alpha", "float", default=0.7, minimum=0.0, doc="Share of the teacher in the loss; the rest is the truth's."
        ),
        *(p for p in Classification.settings if p.name != "loss"),
    )

    @classmethod
    def all_options(cls, options: Any) -> dict[str, Any]:
        return {**super().all_options(options), "loss": "CrossEntropyLoss"}

    @cached_property
    def teacher(self) -> Teacher:
        """The trained network, on the device. Raises ObjectiveError if it cannot be had."""
        return Teacher(str(self.options["teacher"]), self.dataset, self.device)

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        output, target = networks.main(*self.arguments(batch)), batch[self.target]
        truth, alpha = self.compare(output, target), float(self.options["alpha"])  # type: ignore[arg-type]
        soft = likeness(output, self.teacher.scores(batch), float(self.options["temperature"]))  # type: ignore[arg-type]
        parts = {"truth": truth.detach(), "teacher": soft.detach()}
        return Outcome(alpha * soft + (1 - alpha) * truth, len(target), output, target, parts)

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        yield from super().check(outlook)
        alpha = float(cast(float, outlook.options.get("alpha", 0.7)))
        if alpha > 1:
            yield Problem("bad-setting", f"alpha is a share: set it to at most 1, not {alpha:g}.")
        if outlook.dataset is None:
            return
        try:
            Teacher(str(outlook.options.get("teacher", "")), outlook.dataset, torch.device("cpu"))
        except ObjectiveError as error:
            yield Problem("teacher", str(error))


def likeness(output: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """How far answers are from the teacher's: the divergence of softened probabilities, times temperature squared.

    The factor keeps gradients as large at any temperature as those of the true classes.
    """
    said, wanted = F.log_softmax(output / temperature, dim=1), F.log_softmax(teacher / temperature, dim=1)
    return F.kl_div(said, wanted, log_target=True, reduction="batchmean") * temperature**2


class Teacher:
    """A trained network that answers for examples of other data, without learning.

    Args:
        folder: of its run.

    Raises:
        ObjectiveError: no such run, or one that knows other inputs or classes; one plain sentence.
    """

    def __init__(self, folder: str, dataset: Dataset, device: torch.device) -> None:
        self._dataset, self._known = dataset, _loaded(folder)
        fields = {field.name: field for field in dataset.fields}
        for wanted in self._known.legend.inputs:
            found = fields.get(wanted.name)
            if found is None or found.shape != wanted.shape:
                here = ", ".join(f"{f.name} ({shown(f.shape)})" for f in fields.values())
                raise ObjectiveError(
                    f"The teacher takes {wanted.name} ({shown(wanted.shape)}), but the data has {here}: choose a run "
                    "that learnt from the same data."
                )
        theirs, ours = self._known.legend.target.classes, dataset.target.classes
        if theirs != ours:
            raise ObjectiveError(
                f"The teacher knows other classes ({_few(theirs)}) than there are to learn ({_few(ours)}): choose a "
                "run that learnt the same ones."
            )
        self._module = self._known.module.eval().requires_grad_(False).to(device)

    @torch.no_grad()
    def scores(self, batch: Batch) -> Tensor:
        """What the teacher says of a batch as the network gets it, N×classes."""
        theirs, ours = self._known.legend.normalizer, self._dataset.normalizer
        fed = []
        for field in self._known.legend.inputs:
            values, own, other = batch[field.name], ours.get(field.name), theirs.get(field.name)
            if own != other:
                values = values if own is None else own.inverse(values)
                values = values if other is None else other.transform(values)
            fed.append(values)
        return cast(Tensor, self._module.forward(*fed))


def _loaded(folder: str) -> Trained:
    from deepgui.training.checkpoints import CheckpointError
    from deepgui.training.evaluate import load_trained  # not above: it needs the objectives
    from deepgui.training.store import RunError

    if not folder:
        raise ObjectiveError("Distillation needs a teacher: set teacher to the folder of a run.")
    try:
        found = load_trained(Path(folder).expanduser())
    except (RunError, CheckpointError, FileError, DataError, NetworkError, ObjectiveError, OSError) as error:
        raise ObjectiveError(f"The teacher cannot be used: {error}") from None
    if found.legend.target.kind != "label":
        raise ObjectiveError(f"The teacher tells {found.legend.target.name}, which is no class: choose another run.")
    return found


def _few(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
