"""The second way to read a module: ``torch.export`` takes it apart into torch's basic operators.

Used where the first way meets a call that is no node: many functions are a few nodes once they are taken apart.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import torch
from torch import Tensor, nn

_LOG = logging.getLogger("torch.fx.experimental.symbolic_shapes")


def taken_apart(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> nn.Module | None:
    """A module that calls basic operators only, with the same weights; None if torch cannot export it."""
    tensors = list(_tensors((args, kwargs)))
    if any(not t.dim() or len(t) != len(tensors[0]) for t in tensors):
        return None
    size = torch.export.Dim("n")
    free = _replaced((args, kwargs), size)
    names = _names(module, len(args))
    if names is None:
        return None
    shapes = {**dict(zip(names, free[0], strict=True)), **free[1]}
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        before, _LOG.disabled = _LOG.disabled, True  # it prints whole graphs where it fails
        try:
            program = torch.export.export(module, args, kwargs, dynamic_shapes=shapes, strict=False)
            made: nn.Module = program.run_decompositions().module(check_guards=False)
            return made
        except Exception:  # the exporter raises whatever it likes
            return None
        finally:
            _LOG.disabled = before


def _names(module: nn.Module, count: int) -> list[str] | None:
    code = getattr(module.forward, "__code__", None)
    names = list(code.co_varnames[1 : code.co_argcount]) if code else []
    return names[:count] if len(names) >= count else None


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)


def _replaced(value: Any, size: Any) -> Any:
    """The same arguments with ``{0: size}`` for tensors and None for all else, as the exporter takes them."""
    if isinstance(value, Tensor):
        return {0: size}
    if isinstance(value, dict):
        return {key: _replaced(item, size) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_replaced(item, size) for item in value)
    return None
