"""The page of the documentation that lists the catalogue: ``python -m deepgui.catalog.page > docs/layers.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

from deepgui.catalog.coverage import Coverage, coverage
from deepgui.catalog.spec import LayerSpec

_HEAD = """# Layers and operations

This page is written by `python -m deepgui.catalog.page > docs/layers.md`; a test fails if it is not up to date.
`deepgui layers KIND` explains one with all its parameters.
"""


def page(registry: Mapping[str, LayerSpec]) -> str:
    """Markdown: the coverage of torch.nn, all kinds by family, and what is left out."""
    found = coverage(registry)
    parts = [_HEAD, _figures(found)]
    for category, specs in _families(registry.values()).items():
        parts.append(f"## {category}\n\n" + _table(specs))
    return "\n".join([*parts, _left_out(found)])


def _figures(found: Coverage) -> str:
    rows = (
        ("layers of torch.nn", len(found.layers)),
        ("losses of torch.nn", len(found.losses)),
        ("missing", len(found.missing)),
        ("left out, with the reason", len(found.left_out)),
        ("tensor operations", len(found.operations)),
    )
    table = "\n".join(f"| {what} | {count} |" for what, count in rows)
    heading = f"## Coverage of torch {found.torch}: {found.percent:.0f} %"
    return f"{heading}\n\n| | number |\n| --- | --- |\n{table}\n"


def _families(specs: Iterable[LayerSpec]) -> dict[str, list[LayerSpec]]:
    families: dict[str, list[LayerSpec]] = {}
    for spec in specs:
        if spec.form != "block":
            families.setdefault(spec.category, []).append(spec)
    return families


def _table(specs: list[LayerSpec]) -> str:
    rows = "\n".join(f"| `{s.kind}` | {_ports(s)} | {_cell(s.summary)} |" for s in specs)
    return f"| kind | inputs → outputs | what it does |\n| --- | --- | --- |\n{rows}\n"


def _ports(spec: LayerSpec) -> str:
    inputs = [f"{p.name}{'…' if p.variadic else '?' if p.optional or p.when else ''}" for p in spec.inputs]
    outputs = [f"{p.name}_0…" if p.repeat else p.name for p in spec.outputs]
    return f"{', '.join(inputs)} → {', '.join(dict.fromkeys(outputs))}".strip()


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _left_out(found: Coverage) -> str:
    rows = "\n".join(f"| `{name}` | {reason} |" for name, reason in found.left_out.items())
    return f"## Left out\n\n| name in torch.nn | why |\n| --- | --- |\n{rows}\n"


if __name__ == "__main__":
    from deepgui.catalog.builtin import registry

    sys.stdout.write(page(registry()))
