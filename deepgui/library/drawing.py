"""What the modules of this package draw the blocks of the library with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from deepgui.builder import Block
from deepgui.catalog.spec import Infer, ParamSpec

Make = Callable[[], Block]

Settings = dict[str, Any]
"""Arguments of :meth:`~deepgui.builder.Network.add` that several nodes have in common."""

LIBRARY: dict[str, Make] = {}
"""All blocks by name, in the order in which they are drawn; those inside others come first."""


def drawn(category: str, name: str, summary: str, **params: Any) -> Callable[[Callable[[Block], None]], Make]:
    """Decorates a function that draws in an empty block, which thereby joins the library.

    The shapes of its Inputs are those with which the block is shown in its own file.
    """

    def join(draw: Callable[[Block], None]) -> Make:
        @cache
        def make() -> Block:
            block = Block(name, summary, category=category, **{key: _named(key, p) for key, p in params.items()})
            draw(block)
            return block

        LIBRARY[name] = make
        return make

    return join


def _named(name: str, param: Any) -> Any:
    return replace(param, name=name) if isinstance(param, ParamSpec) else param


def channels(port: str = "input") -> ParamSpec:
    """A parameter that is the number of channels arriving at a port unless it is set."""
    return _size(port, 1, "channels")


def features(port: str = "input", dim: int = -1) -> ParamSpec:
    """A parameter that is the size of an incoming dimension, usually the last one, unless it is set."""
    return _size(port, dim, "features" if dim == -1 else "positions")


def _size(port: str, dim: int, what: str) -> ParamSpec:
    doc = f"As many {what} as arrive at {port} if left out."
    return ParamSpec("", "int", minimum=1, infer=Infer(port, dim), doc=doc)


def choice(default: str, *others: str, doc: str = "") -> ParamSpec:
    """A parameter that is one of some words."""
    return ParamSpec("", "choice", default=default, choices=(default, *others), doc=doc)
