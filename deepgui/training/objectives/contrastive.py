"""Learning without labels: two views of a picture are alike, and those of other pictures are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Generator, Tensor, fx, nn
from torch.nn import functional as F

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.compiler.interpret import Port, capture, outputs_of
from deepgui.data.augment import SETTINGS, Augmentation
from deepgui.data.errors import DataError
from deepgui.graph.problems import Problem
from deepgui.training.objectives import latent
from deepgui.training.objectives.base import NETWORK, Batch, Networks, ObjectiveError, Outcome, Outlook, Score
from deepgui.training.objectives.examples import OfExamples
from deepgui.training.objectives.pictures import pieces
from deepgui.training.objectives.previews import Preview, Scatter

_DEFAULTS: Mapping[str, float] = {"crop": 1, "rotation": 15.0, "zoom": 0.1, "contrast": 0.3, "noise": 0.1}
_VIEWS = tuple(
    ParamSpec(p.name, p.type, _DEFAULTS.get(p.name, p.default), minimum=p.minimum, doc=p.doc)
    for p in SETTINGS
    if p.name not in ("time_mask", "frequency_mask")
)
_TOGETHER = 256  # examples that are told apart when a split is judged
_MOST_PROBED, _MOST_FEATURES, _POINTS = 2000, 4096, 500
_ONE_BY_ONE = (nn.Linear, nn.BatchNorm1d, nn.LayerNorm, nn.Dropout, nn.Identity)


class Contrastive(OfExamples):
    """SimCLR (Chen et al. 2020): of all pictures of a batch, find the other view of the same one.

    The representation is what is used afterwards: the wire that the setting names, else what goes into the first of
    the Linear layers at the end of the network, the projection head; the embedding itself if there is no such layer.
    """

    id: ClassVar[str] = "contrastive"
    title: ClassVar[str] = "Contrastive"
    summary: ClassVar[str] = "Learn without labels what pictures have in common (SimCLR)."
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "temperature",
            "float",
            default=0.5,
            minimum=0.01,
            doc="How hard look-alikes are pushed apart: the lower, the more the nearest of them count.",
        ),
        ParamSpec(
            "representation",
            "str",
            default="",
            doc="The node whose output is used afterwards; left out, what goes into the first of the last Linear "
            "layers, the projection head.",
        ),
        *_VIEWS,
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"space": "Representations", "views": "Views of a picture"}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {p.name: self.options[p.name] for p in _VIEWS}
        try:
            self.augmentation = Augmentation(own, self.dataset.normalizer.get(self.real.name))
        except DataError as error:
            raise ObjectiveError(str(error)) from None
        self.temperature = float(cast(float, self.options["temperature"]))
        self._pixels: Any = None

    # -- a step

    def views(self, batch: Batch) -> list[Tensor]:
        """The arguments of the network for two views of each example, one after the other."""
        first, *others = self.arguments(batch)
        # A generator of its own on the device, from PyTorch's random numbers: those are kept with a checkpoint.
        seed = int(torch.randint(2**31, (), dtype=torch.int64))
        generator = Generator(first.device).manual_seed(seed)
        seen = [self.augmentation(first, generator) for _ in range(2)]
        return [torch.cat(seen), *(torch.cat((other, other)) for other in others)]

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        likeness = similarities(networks.main(*self.views(batch)), self.temperature)
        wanted = partners(likeness)
        hits = (likeness.detach().argmax(1) == wanted).float().mean()
        return Outcome(F.cross_entropy(likeness, wanted), len(likeness) // 2, parts={"accuracy": hits})

    # -- a split

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        kept: list[Batch] = []
        examples, loss, hits = 0, 0.0, 0.0
        for batch in pieces(batches, self.real.name):
            rows = len(batch[self.real.name])
            for part in torch.arange(rows).tensor_split(-(-rows // _TOGETHER)):
                outcome = self.loss(networks, {name: values[part] for name, values in batch.items()})
                loss += float(outcome.loss) * outcome.size
                hits += float(outcome.parts["accuracy"]) * outcome.size
                examples += outcome.size
            if len(kept) * rows < _MOST_PROBED:
                kept.append(batch)
        if not examples:
            return None
        metrics = {"loss": loss / examples, "accuracy": hits / examples, **self._probed(networks, kept)}
        return Score(metrics, examples=examples)

    def _probed(self, networks: Networks, batches: list[Batch]) -> dict[str, float]:
        """How many examples a linear classifier gets right, by the representation and by the pixels themselves.

        Both learn from labels of the training split; empty where there are no labels.
        """
        target, train = self.dataset.target, self.dataset.train
        if target.kind != "label" or len(train) < 2:
            return {}
        places = torch.linspace(0, len(train) - 1, min(_MOST_PROBED, len(train))).long()
        known = {name: values.to(self.device) for name, values in train.get(places).items()}
        labels = known[target.name].cpu().numpy()
        if len(np.unique(labels)) < 2:
            return {}
        truth = np.concatenate([batch[target.name].cpu().numpy() for batch in batches])

        def flat(values: Tensor) -> Any:
            return values.float().flatten(1).cpu().numpy()

        found = {}
        learnt = np.concatenate([flat(self.represented(networks, b)) for b in pieces([known], self.real.name)])
        if learnt.shape[1] <= _MOST_FEATURES:
            asked = np.concatenate([flat(self.represented(networks, batch)) for batch in batches])
            found["probe_accuracy"] = float(_probe(learnt, labels).score(asked, truth))
        if known[self.real.name][0].numel() <= _MOST_FEATURES:
            if self._pixels is None:  # pixels do not change
                self._pixels = _probe(flat(known[self.real.name]), labels)
            pixels = np.concatenate([flat(batch[self.real.name]) for batch in batches])
            found["pixels_accuracy"] = float(self._pixels.score(pixels, truth))
        return found

    def represented(self, networks: Networks, batch: Batch) -> Tensor:
        """The representations of a batch, the examples in dimension 0."""
        module, inputs = networks.modules[NETWORK], self.arguments(batch)
        named = str(self.options["representation"])
        if named:
            wire = latent.find(cast(fx.GraphModule, module), [values[:2] for values in inputs], named)
            port = wire.port if wire else None
        else:
            port = before_the_head(module)
        found = capture(cast(fx.GraphModule, module), inputs, [port]) if port else {}
        return found[port] if port in found else cast(Tensor, networks.main(*inputs))

    # -- for those who look on

    def preview(self, what: str, networks: Networks) -> Preview | None:
        if what == "views":
            batch = self.some(8)
            first = batch[self.real.name]
            one, other = self.views(batch)[0].chunk(2)
            return self.beside({"picture": first, "one view": one, "other view": other}, "What must be found alike.")
        batch = self.some(_POINTS)
        points, axes = latent.flat_points(self.represented(networks, batch))
        note = "Each point is a picture; the colours are classes that the network was never told."
        return Scatter(
            points=points, labels=self.labels(batch), classes=self.dataset.target.classes, axes=axes, note=note
        )

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        picture = next(iter(outlook.fed), None)
        if picture is not None and picture.kind != "image":
            yield Problem(
                "no-pictures",
                f"Contrastive learns from views of pictures, but {picture.name} is a {picture.kind}: choose data with "
                "pictures.",
                expected="image",
                received=picture.kind,
            )
        if len(outlook.output.dims) != 2:
            yield Problem(
                "output-shape",
                f"Contrastive compares one vector a picture, but the Output receives {outlook.output.shape}: put a "
                "Flatten or the mean over each channel before it.",
                node=outlook.node,
                port="input",
                expected="N×D",
                received=outlook.output.shape,
            )
        name = str(outlook.options.get("representation", ""))
        if name and not latent.names_a_node(outlook.network, name):
            yield Problem("bad-setting", f"There is no node {name}: set representation to one of the network's.")
        yield from _check_views(outlook.options)


def _check_views(options: Mapping[str, Value]) -> Iterator[Problem]:
    own = {p.name: options.get(p.name, p.default) for p in _VIEWS}
    try:
        views = Augmentation(own)
    except DataError as error:
        yield Problem("bad-setting", f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return
    if views.is_identity:
        text = "Both views of a picture are the same: switch on noise, rotation or another change."
        yield Problem("bad-setting", text)


def similarities(embeddings: Tensor, temperature: float) -> Tensor:
    """Cosines of all pairs over the temperature, 2N×2N; none of anything with itself."""
    unit = F.normalize(embeddings.flatten(1).float(), dim=1)
    likeness = unit @ unit.T / temperature
    itself = torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    return likeness.masked_fill(itself, float("-inf"))


def partners(likeness: Tensor) -> Tensor:
    """Where the other view of each is, where the first views stand before the second ones."""
    count = len(likeness)
    return (torch.arange(count, device=likeness.device) + count // 2) % count


def before_the_head(module: nn.Module) -> Port | None:
    """The wire into the first of the Linear layers that a network ends with; None if it ends otherwise."""
    if not isinstance(module, fx.GraphModule):
        return None
    at = next(iter(reversed(module.graph.nodes)))
    found: fx.Node | None = None
    while len(at.all_input_nodes) == 1:
        at = at.all_input_nodes[0]
        layer = module.get_submodule(str(at.target)) if at.op == "call_module" else None
        if isinstance(layer, nn.Linear):
            found = at.all_input_nodes[0]
        elif layer is None or not (isinstance(layer, _ONE_BY_ONE) or _is_activation(layer)):
            break
    return next((port for port in outputs_of(found) if all(port)), None) if found is not None else None


def _is_activation(layer: nn.Module) -> bool:
    return type(layer).__module__ == "torch.nn.modules.activation" and not isinstance(layer, nn.MultiheadAttention)


def _probe(values: Any, labels: Any) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)).fit(values, labels)
