"""Tooltips: what lies under the mouse, in plain words."""

from __future__ import annotations

from html import escape

from deepgui.catalog.spec import LayerSpec
from deepgui.qt.canvas import connections
from deepgui.qt.canvas.hits import Hit, PortRef
from deepgui.qt.canvas.mirror import Mirror
from deepgui.qt.session import Session


def text(session: Session, mirror: Mirror, hit: Hit) -> str:
    """Rich text about a badge, a port, a node or a wire; empty for empty canvas."""
    if hit.badge and hit.node in mirror.nodes:
        return _problems(mirror, hit.node)
    if hit.port is not None:
        return _port(session, hit.port)
    if hit.node:
        return _node(session, hit.node)
    return _wire(session, hit) if hit.wire else ""


def _problems(mirror: Mirror, node: str) -> str:
    problems = mirror.nodes[node].card.problems
    if not problems:
        return "This layer is not in the catalogue."
    return "<br>".join(escape(p.message) for p in problems) + "<br><i>Click to see the way out.</i>"


def _spec(session: Session, node: str) -> LayerSpec | None:
    value = session.network.nodes.get(node)
    return session.registry.get(value.kind) if value else None


def _port(session: Session, ref: PortRef) -> str:
    spec = _spec(session, ref.node)
    ports = (spec.inputs if ref.side == "in" else spec.outputs) if spec else ()
    port = next((p for p in ports if p.name == ref.port), None)
    words = [f"<b>{escape(ref.port)}</b>"]
    if port is not None and port.optional:
        words[0] += " (optional)"
    if port is not None and port.layouts:
        words.append(f"takes {escape(' or '.join(port.layouts))}")
    if ref.side == "out" and (flow := connections.flow(session.report, ref)):
        words.append(escape(f"{flow.shape} {flow.dtype}"))
    if port is not None and port.doc:
        words.append(escape(port.doc))
    return "<br>".join(words)


def _node(session: Session, node: str) -> str:
    value = session.network.nodes.get(node)
    if value is None:
        return ""
    spec = _spec(session, node)
    words = [f"<b>{escape(value.label)}</b> · {escape(value.kind)}"]
    if spec is not None and spec.summary:
        words.append(escape(spec.summary))
    report = session.report.nodes.get(node) if session.report else None
    if report is not None and report.parameters:
        words.append(f"{report.parameters:,} parameters")
    if value.shares in session.network.nodes:
        words.append(f"has the weights of {escape(session.network.nodes[value.shares].label)}")
    if value.bypass is not False:
        words.append("bypassed: its first input is handed on")
    if value.kind in session.project.blocks:
        words.append("<i>Double-click to go in.</i>")
    return "<br>".join(words)


def _wire(session: Session, hit: Hit) -> str:
    wire = hit.wire
    if wire is None:
        return ""
    source, target = session.network.nodes.get(wire.source), session.network.nodes.get(wire.target)
    if source is None or target is None:
        return ""
    words = f"{escape(source.label)} → {escape(target.label)}"
    flow = connections.flow(session.report, PortRef(wire.source, "out", wire.output))
    return f"{words}<br><b>{escape(flow.shape)}</b> {escape(flow.dtype)}" if flow else words
