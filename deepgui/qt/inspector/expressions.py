"""Expressions as people meet them in the inspector: what is wrong with one, and what it comes to. Knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from deepgui.catalog.expr import Expr, ExprError
from deepgui.catalog.spec import LayerSpec, ParamSpec, Value, show
from deepgui.graph import blocks
from deepgui.graph.values import Node

if TYPE_CHECKING:
    from deepgui.qt.session import Session

_MOST_SHOWN = 6


def known(session: Session, node: Node | None = None, name: str = "") -> dict[str, Value]:
    """What the expressions of a node of the drawing in view can name: the block's parameters, and the index of a row.

    Args:
        name: of the node's parameter; the one that says how long its row is cannot ask for the index.
    """
    values = dict(session.values)
    for param in session.block.params if session.block is not None and not values else ():
        values[param.name] = param.default
    if node is not None and name != blocks.REPEAT.name and node.params.get(blocks.REPEAT.name) is not None:
        values[blocks.INDEX] = 0
    return values


def complaint(expr: Expr, param: ParamSpec, spec: LayerSpec | None, values: Mapping[str, Value]) -> str:
    """Why a parameter cannot have this expression, in one sentence; empty if it can."""
    try:
        expr.evaluate(values)
    except ExprError as error:
        names = f" Known here: {', '.join(sorted(values))}." if values else " Only a block has parameters to name."
        return f"“{expr.text}” {error}.{names if 'no parameter here' in str(error) else ''}"
    value = blocks.bound({param.name: expr}, values, spec)[param.name]
    wrong = f"{param.name} cannot hold what {expr.text} gives" if value is expr else param.check(value)
    return f"{wrong}." if wrong else ""


def computed(name: str, expr: Expr, node: Node, spec: LayerSpec | None, session: Session) -> str:
    """What an expression comes to in the use that is in view: ``= 64 here``; one value for each of a row."""
    values = known(session, node, name)
    report = session.report.nodes.get(node.id) if session.report else None
    count = (blocks.repeats(report.params) or 1) if report is not None and blocks.INDEX in values else 1
    in_row = count > 1 and blocks.INDEX not in session.values and _asks_index(expr)
    shown = []
    for index in range(min(count, _MOST_SHOWN) if in_row else 1):
        env = {**values, blocks.INDEX: index} if in_row else values
        value = blocks.bound({name: expr}, env, spec)[name]
        if value is expr:
            return ""
        shown.append(show(value))
    if not in_row:
        return f"= {shown[0]} here" if session.levels else f"= {shown[0]}"
    return f"= {', '.join(shown)}{', …' if count > _MOST_SHOWN else ''} along the row"


def _asks_index(expr: Expr) -> bool:
    try:
        return blocks.INDEX in expr.names
    except ExprError:
        return False
