"""What a source declares, in a few lines beside it."""

from __future__ import annotations

from html import escape

from deepgui.catalog.spec import LayerSpec, ParamSpec, show


def described(spec: LayerSpec) -> str:
    """Ports and parameters of a layer as rich text."""
    inputs = [
        f"{port.name}{' (optional)' if port.optional else ''}{' …' if port.variadic else ''}" for port in spec.inputs
    ]
    parts = [
        ("Inputs", inputs),
        ("Parameters", [_param(p) for p in spec.params]),
        ("Outputs", [port.name for port in spec.outputs]),
    ]
    lines = "".join(f"<p><b>{title}</b><br>{'<br>'.join(map(escape, names)) or '–'}</p>" for title, names in parts)
    return f"<h3>{escape(spec.kind)}</h3><p>{escape(spec.summary)}</p>{lines}"


def _param(param: ParamSpec) -> str:
    kind = " | ".join(param.choices) or param.type
    if param.infer is not None:
        return f"{param.name}: {kind}, read from {param.infer.port}"
    return f"{param.name}: {kind}" + ("" if param.required else f" = {show(param.torch_default)}")
