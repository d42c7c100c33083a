"""From a module of torch.nn to its layer kind: its settings are attributes of the same names, nearly always."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepgui.catalog.spec import LayerSpec, Registry, Value, freeze
from deepgui.compiler.call import init_settings
from deepgui.compiler.lower import resolve
from deepgui.importers.report import Inexpressible

_NAMED_OTHERWISE: dict[tuple[str, str], str] = {
    ("PairwiseDistance", "p"): "norm",
    ("TransformerEncoderLayer", "d_model"): "self_attn.embed_dim",
    ("TransformerDecoderLayer", "d_model"): "self_attn.embed_dim",
    **{
        (f"Transformer{part}Layer", name): attribute
        for part in ("Encoder", "Decoder")
        for name, attribute in {
            "nhead": "self_attn.num_heads",
            "dim_feedforward": "linear1.out_features",
            "dropout": "dropout.p",
            "layer_norm_eps": "norm1.eps",
            "batch_first": "self_attn.batch_first",
            "bias": "linear1.bias",
        }.items()
    },
    ("MultiheadAttention", "bias"): "in_proj_bias",
    ("MultiheadAttention", "add_bias_kv"): "bias_k",
}
"""Where a setting is found if not in the attribute of its name."""

_ACTIVATIONS: dict[Any, str] = {F.relu: "relu", F.gelu: "gelu", torch.relu: "relu"}
_OF_NO_MATTER = frozenset({"inplace", "init", "enable_nested_tensor"})
"""Settings that do not change what is computed once weights are loaded."""


class Layers:
    """Recognises modules that are layers of the catalogue.

    A module counts as one if its class is one's, or inherits ``forward`` from it, if nothing hooks into it, and
    if a layer with the same settings has weights of the same names and shapes.
    """

    def __init__(self, registry: Registry) -> None:
        self._specs: dict[Callable[..., Any], LayerSpec] = {}
        for spec in registry.values():
            if spec.form == "module" and isinstance(resolve(spec.target), type):
                self._specs.setdefault(resolve(spec.target), spec)
        self._known: dict[int, tuple[LayerSpec, dict[str, Value]] | None] = {}
        self._shapes: dict[Any, Mapping[str, torch.Size] | None] = {}
        self._kept: list[nn.Module] = []  # an id stays one module's as long as that lives

    def __call__(self, module: nn.Module) -> tuple[LayerSpec, dict[str, Value]] | None:
        """The declaration and all settings of a module, or None if it is no layer of the catalogue."""
        if id(module) not in self._known:
            self._kept.append(module)
            self._known[id(module)] = self._recognise(module)
        return self._known[id(module)]

    def keep(self, module: nn.Module, spec: LayerSpec, settings: Mapping[str, Value]) -> None:
        """Take a module as a layer from here on, whatever its class is."""
        self._kept.append(module)
        self._known[id(module)] = spec, dict(settings)

    def _recognise(self, module: nn.Module) -> tuple[LayerSpec, dict[str, Value]] | None:
        spec = next((self._specs[c] for c in type(module).__mro__ if c in self._specs), None)
        if spec is None or module._forward_hooks or module._forward_pre_hooks or "forward" in vars(module):
            return None
        if type(module).forward is not resolve(spec.target).forward:  # type: ignore[attr-defined]
            return None
        try:
            settings = settings_of(module, spec)
        except Inexpressible:
            return None
        found = {name: t.shape for name, t in module.state_dict().items()}
        return (spec, settings) if self._would_have(spec, settings) == found else None

    def _would_have(self, spec: LayerSpec, settings: Mapping[str, Value]) -> Mapping[str, torch.Size] | None:
        """Names and shapes of the weights that the catalogue's layer has with these settings."""
        said = init_settings(spec, settings, settings)
        key = spec.kind, tuple(sorted((name, repr(value)) for name, value in said.items()))
        if key not in self._shapes:
            try:
                with torch.device("meta"):
                    made = resolve(spec.target)(**said)
                self._shapes[key] = {name: t.shape for name, t in made.state_dict().items()}
            except Exception:  # settings that the constructor refuses
                self._shapes[key] = None
        return self._shapes[key]


def settings_of(module: nn.Module, spec: LayerSpec) -> dict[str, Value]:
    """All settings of a layer, read from its attributes.

    Raises:
        Inexpressible: one of them is nothing that a parameter can hold.
    """
    found: dict[str, Value] = {}
    for param in spec.params:
        if param.call or param.name in _OF_NO_MATTER:
            continue
        value = _attribute(module, _NAMED_OTHERWISE.get((spec.kind, param.name), param.name))
        if param.type == "bool" and not isinstance(value, bool):
            value = value is not None and value is not _MISSING
        elif param.name == "activation":
            value = _ACTIVATIONS.get(value, "relu" if isinstance(value, nn.ReLU) else value)
        if value is _MISSING:
            if param.required:
                raise Inexpressible(f"{param.name} cannot be read")
            continue
        value = _special(module, spec.kind, param.name, value)
        try:
            frozen = freeze(value)
        except TypeError:
            raise Inexpressible(f"{param.name} is a {type(value).__name__}") from None
        if frozen is None and not param.required and param.torch_default is None:
            continue
        if complaint := param.check(frozen):
            raise Inexpressible(complaint)
        found[param.name] = frozen
    return found


_MISSING = object()


def _attribute(module: nn.Module, path: str) -> Any:
    value: Any = module
    for name in path.split("."):
        value = getattr(value, name, _MISSING)
    return value


def _special(module: nn.Module, kind: str, name: str, value: Any) -> Any:
    if name == "bias" and value is False and getattr(module, "weight", _MISSING) is None:
        return True  # without a weight there is no bias, whatever was asked for
    if name == "align_corners" and getattr(module, "mode", "") in ("nearest", "nearest-exact", "area"):
        return None
    if name in ("kdim", "vdim") and value == getattr(module, "embed_dim", None):
        return None
    if kind == "AdaptiveLogSoftmaxWithLoss" and name == "cutoffs":
        return tuple(value[:-1])
    return tuple(value) if isinstance(value, torch.Size) else value


def call_arguments(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call of ``forward`` by name, without those at their defaults."""
    signature = inspect.signature(module.forward)
    bound = signature.bind(*args, **kwargs)
    same = {n: p.default for n, p in signature.parameters.items()}
    return {n: v for n, v in bound.arguments.items() if isinstance(v, Tensor) or v is not same[n]}
