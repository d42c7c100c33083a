"""The catalogue: all layers and losses of torch.nn, tensor operations, and plug-ins."""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import entry_points

from torch import nn

from deepgui.catalog.graph_layers import graph_layers, put_back
from deepgui.catalog.introspect import layer_names, module_spec, spectral_conv
from deepgui.catalog.operations import CONSTANT, INPUT, OUTPUT, PARAMETER, operations
from deepgui.catalog.spec import LayerSpec, Registry, SpecError

PLUGINS = "deepgui.layers"
_log = logging.getLogger(__name__)


@cache
def registry() -> Registry:
    """All layer kinds that can be placed; built once in a process."""
    put_back()
    found = Registry((INPUT, OUTPUT, PARAMETER, CONSTANT))
    for name in layer_names():
        found.register(module_spec(getattr(nn, name)))
    found.register(spectral_conv())
    for spec in operations():
        found.register(spec)
    for spec in graph_layers():
        found.register(spec)
    _add_plugins(found)
    return found


def _add_plugins(found: Registry) -> None:
    """Entry points in group ``deepgui.layers``: each gives a module class or a :class:`LayerSpec`.

    A plug-in that fails is reported and left out, since it must not keep the application from starting.
    """
    for entry in entry_points(group=PLUGINS):
        try:
            thing = entry.load()
            found.register(thing if isinstance(thing, LayerSpec) else _class_spec(thing))
        except (Exception, SystemExit) as error:  # a plug-in can fail in any way
            _log.warning("The layer plug-in %s could not be loaded: %s", entry.name, error)


def _class_spec(cls: object) -> LayerSpec:
    if not (isinstance(cls, type) and issubclass(cls, nn.Module)):
        raise SpecError("a layer plug-in must be a torch.nn.Module class or a LayerSpec")
    return module_spec(cls, target=f"{cls.__module__}.{cls.__qualname__}", category="Plug-ins")
