"""What places the functions that are more than one node with the same arguments; filled by the modules beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Handler = Callable[..., Any]
"""Takes a :class:`~deepgui.importers.context.Context` and the function's arguments, with wires and known tensors
in place of tensors. Returns what the function returns, several results as a dict by place."""

HANDLERS: dict[str, Handler] = {}
"""By the function's plain name; ``aten:NAME`` where torch's native function differs from the one of that name in
``torch.nn.functional``."""


def handles(*names: str) -> Callable[[Handler], Handler]:
    """Register a function that places what these functions do."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register
