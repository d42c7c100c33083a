"""Lines of Python, broken where they get too long."""

from __future__ import annotations

import ast

from deepgui.catalog.own.declared import is_own

WIDTH = 100
INDENT = " " * 8


def short(target: str) -> str:
    """``torch.nn.Conv2d`` → ``nn.Conv2d``; a class of one's own by its name alone; functions keep their full names."""
    if is_own(target):
        return target.rpartition(".")[2]
    return target.removeprefix("torch.") if target.startswith("torch.nn.") else target


def grouped(text: str) -> str:
    """An expression that can stand as an operand."""
    return text if text.isidentifier() or text.replace(".", "").isdigit() else f"({text})"


def called(head: str, arguments: list[str], tail: str = "") -> str:
    """A call on one line, or one argument a line if it gets too long."""
    line = f"{head}({', '.join(arguments)}){tail}"
    if len(line) <= WIDTH or not arguments:
        return line
    indent = " " * (len(head) - len(head.lstrip()))
    together = f"{indent}    {', '.join(arguments)}"
    if len(together) <= WIDTH:
        return f"{head}(\n{together}\n{indent}){tail}"
    inner = "".join(f"{indent}    {a},\n" for a in arguments)
    return f"{head}(\n{inner}{indent}){tail}"


def row(head: str, star: str, call: str, each: str) -> str:
    """Several of a block: ``nn.Sequential(*(Block(64) for _ in range(3)))``, in lines if it gets too long."""
    opening, closing = (f"{star}(", ")") if star else ("", "")
    line = f"{head}({opening}{call} {each}{closing})"
    if len(line) <= WIDTH:
        return line
    indent = " " * (len(head) - len(head.lstrip()))
    if len(line) - len(head) + len(indent) + 2 <= WIDTH:
        return f"{head}(\n{indent}    {opening}{call} {each}{closing}\n{indent})"
    deep = f"{indent}        " if star else f"{indent}    "
    if len(deep) + len(call) > WIDTH:
        name, _, arguments = call.partition("(")
        call = called(f"{deep}{name}", _split(arguments.removesuffix(")")), "").lstrip()
    inner = f"{deep}{call}\n{deep}{each}\n"
    inner = f"{indent}    {star}(\n{inner}{indent}    )\n" if star else inner
    return f"{head}(\n{inner}{indent})"


def unless(head: str, bypass: str, made: str, instead: str) -> str:
    """``self.way = Projection() if project else nn.Identity()``, for a bypass of ``not project``."""
    tree = ast.parse(bypass, mode="eval").body
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not):
        bypass, made, instead = ast.unparse(tree.operand), instead, made
    text = f"{instead} if {bypass} else {made}"
    if len(head) + len(text) <= WIDTH:
        return f"{head}{text}"
    indent = " " * (len(head) - len(head.lstrip()))
    deep = f"{indent}    "
    if len(deep) + len(text) > WIDTH:
        text = f"\n{deep}".join((instead, f"if {bypass}", f"else {made}"))
    return f"{head}(\n{deep}{text}\n{indent})"


def _split(arguments: str) -> list[str]:
    """Arguments at their outer commas."""
    parts, depth = [""], 0
    for character in arguments:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def commented(head: str, expression: list[str], comment: str) -> str:
    """The statement with its shape behind it, if both fit."""
    line = head + expression[0] if len(expression) == 1 else called(head + expression[0], expression[1:])
    if comment and "\n" not in line and len(line) + len(comment) + 4 <= WIDTH:
        return f"{line}  # {comment}"
    return line
