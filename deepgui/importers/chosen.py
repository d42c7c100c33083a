"""Which modules of an import are layers in Python, chosen one after the other where no drawing is found."""

from __future__ import annotations

import inspect
from contextlib import suppress
from dataclasses import replace
from typing import Any

from torch import nn

from deepgui.catalog.builtin import registry
from deepgui.importers.classes_as_code import AsCode, as_code
from deepgui.importers.layers import Layers
from deepgui.importers.report import Imported, Inexpressible, Note
from deepgui.importers.ways import Ways
from deepgui.project.trust import trust, trust_for_now


class Chosen:
    """The modules that are layers in Python as a whole, and why.

    Attributes:
        module: what is to be drawn: the module, or one around it that calls it, once it is chosen as a whole.
        ways: what the drawing needs to place them.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.ways = Ways()
        self._original = module
        self._held: dict[str, tuple[nn.Module, AsCode]] = {}
        self._notes: list[Note] = []
        self._refused: set[str] = set()

    def take(self, where: str, why: str) -> bool:
        """Choose the module at a path, or the next one around it that can be code. False if none can."""
        known = dict(self._original.named_modules())
        catalogue = registry()
        layers = Layers(catalogue)
        if self.module is not self._original:
            return False
        path = where if where in known else ""
        while path in self._held or path in self._refused or layers(known[path]) is not None:
            if not path:
                return False
            path = path.rpartition(".")[0]
        try:
            held = as_code(known[path], layers, catalogue, trust_for_now)
        except Inexpressible as reason:
            self._refused.add(path)
            return bool(path) and self.take(path.rpartition(".")[0], f"{why}; {path} cannot be code, as {reason}")
        self._hold(path, known[path], held, why)
        return True

    def _hold(self, path: str, module: nn.Module, held: AsCode, why: str) -> None:
        inside = [p for p in self._held if not path or p.startswith(f"{path}.")]
        for p in inside:
            del self._held[p]
        self._notes = [n for n in self._notes if n.where not in inside]
        self._held[path] = module, held
        self._notes.append(Note("code", type(module).__name__, path, why))
        self.ways.modules = {id(m): h for m, h in self._held.values()}
        if not path:
            self.module = _Around(module)

    def tell(self, layers: Layers) -> None:
        """Let them be recorded as one call."""
        for module, held in self._held.values():
            layers.keep(module, held.spec, held.settings)

    def settled(self, imported: Imported) -> Imported:
        """The import with what was chosen in its report. Its code may run from now on: it is running already."""
        for block in imported.project.blocks.values():
            if block.code is not None:
                with suppress(OSError):  # then it is trusted until the process ends
                    trust(block.code.source)
        notes = (*self._notes, *imported.report.notes)
        return replace(imported, report=replace(imported.report, notes=notes))


class _Around(nn.Module):
    """Calls a module, and takes what it takes: recorded, it is one call."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.whole = module
        self.eval()

        def forward(*args: Any, **kwargs: Any) -> Any:
            return self.whole(*args, **kwargs)

        forward.__signature__ = inspect.signature(module.forward)  # type: ignore[attr-defined]
        self.forward = forward
