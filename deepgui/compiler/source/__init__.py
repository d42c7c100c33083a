"""The network as Python that a good engineer would write: a class for it and one for every block."""

from __future__ import annotations

from deepgui.catalog.graph_layers import PACKAGE as GRAPH_PACKAGE
from deepgui.catalog.own.declared import is_own
from deepgui.catalog.spec import LayerSpec, Registry
from deepgui.compiler.names import class_name
from deepgui.compiler.report import Report, valid
from deepgui.compiler.source.classes import class_source
from deepgui.compiler.source.drawings import drawings, name_apart
from deepgui.compiler.source.own_code import STANDARD, own_code
from deepgui.graph.values import Network

__all__ = ["to_python"]


def to_python(network: Network, registry: Registry, report: Report | None = None) -> str:
    """Source of a module that computes what :func:`deepgui.compiler.build.build` computes.

    A block becomes one class, however often and with whatever sizes it is used. Attributes have the names of the
    trained module's layers, so that their state dicts are interchangeable, and layers are constructed in the same
    order, so that under a seed their first weights are the same.

    Raises:
        NetworkError: if the network has errors.
    """
    network, report = valid(network, registry, report)
    found = drawings(network, registry, report)
    specs = [s for drawing in found for s in drawing.specs if s.form in ("module", "function")]
    own = own_code(specs)
    name_apart(found, own.names)
    classes = [class_source(drawing) for drawing in found]
    packages = {package for spec in specs if (package := _package(spec))}
    imports = [*STANDARD.values(), *own.imports, *(f"import {package}" for package in sorted(packages))]
    future = "from __future__ import annotations\n\n" if own.future else ""
    return "\n\n\n".join([future + "\n".join(imports), *own.bodies, *classes]) + "\n"


def _package(spec: LayerSpec) -> str:
    """What has to be imported for a layer; empty if it is PyTorch's, or its class is in the same file."""
    if spec.source:
        return GRAPH_PACKAGE if GRAPH_PACKAGE in spec.source else ""
    outside = not spec.target.startswith("torch.") and not is_own(spec.target)
    return spec.target.rpartition(".")[0] if outside else ""


def class_of(network: Network) -> str:
    """The name of the class that a network becomes."""
    return class_name(network.name)
