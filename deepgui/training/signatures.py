"""Typed settings from the signature and docstring of a PyTorch optimiser, scheduler, loss or function."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection
from typing import Any

from deepgui.catalog.spec import ParamSpec, ParamType, Value, freeze

_NOT_NEGATIVE = frozenset(("lr", "eps", "weight_decay", "momentum", "gamma", "T_max", "eta_min", "max_lr", "base_lr"))
_POSITIVE = frozenset(("step_size", "total_iters", "T_0", "total_steps", "epochs", "max_iter", "history_size"))
_CHOICES = {"line_search_fn": ("strong_wolfe",), "adjust_lr_fn": ("original", "match_rms_adamw")}


def params_of(subject: Callable[..., Any], hidden: Collection[str]) -> tuple[ParamSpec, ...]:
    """The arguments of a class's constructor, or of a function after its first, but those in ``hidden``."""
    docs = _argument_docs(inspect.getdoc(subject) or "")
    called = subject.__init__ if isinstance(subject, type) else subject  # type: ignore[misc]
    arguments = list(inspect.signature(called).parameters.values())[1:]
    return tuple(_param(a, docs.get(a.name, "")) for a in arguments if a.name not in hidden)


def _param(argument: inspect.Parameter, doc: str) -> ParamSpec:
    annotation = argument.annotation
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    if not isinstance(annotation, type) and not isinstance(annotation, str):
        text = str(annotation)
    choices = tuple(re.findall(r"'(\w+)'", text)) if "Literal" in text else _CHOICES.get(argument.name, ())
    required = argument.default is inspect.Parameter.empty
    kind = "choice" if choices else _type(text)
    default = None if required else _default(argument.default, kind)
    return ParamSpec(
        argument.name,
        kind,  # type: ignore[arg-type]
        default=default,
        torch_default=default,
        required=required,
        nullable=not required and ("None" in text or default is None),
        choices=choices,
        minimum=1 if argument.name in _POSITIVE else 0 if argument.name in _NOT_NEGATIVE else None,
        length=len(default) if isinstance(default, tuple) else 0,
        doc=doc,
    )


def _type(text: str) -> ParamType:
    sequence = text.startswith("tuple") or "Iterable" in text
    if sequence:
        if "None" in text:
            return "literal"
        return "floats" if "float" in text else "ints"
    for name in ("bool", "float", "int"):
        if re.search(rf"\b{name}\b", text):
            return name  # type: ignore[return-value]
    return "str"


def _default(value: Any, kind: str) -> Value:
    frozen = freeze(value)
    return float(frozen) if kind == "float" and isinstance(frozen, int) else frozen


def summary_of(subject: Callable[..., Any]) -> str:
    """The first paragraph of the docstring that is prose, on one line."""
    for paragraph in re.split(r"\n\s*\n", inspect.getdoc(subject) or ""):
        text = " ".join(paragraph.split())
        if text and not text.startswith(".."):
            return plain(text)
    return ""


def _argument_docs(doc: str) -> dict[str, str]:
    """What the ``Args:`` section says of each argument."""
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", doc, re.DOTALL | re.MULTILINE)
    if not section:
        return {}
    found: dict[str, str] = {}
    pattern = r"^ {2,4}(\w+) *(?:\([^\n]*?(?:\n[^\n:]*)?\))? *:(.*?)(?=^ {2,4}\w+ *[(:]|\Z)"
    for name, text in re.findall(pattern, section[1], re.DOTALL | re.MULTILINE):
        found[name] = plain(" ".join(text.split()))
    return found


def plain(text: str) -> str:
    """reStructuredText inline marks taken off: ``:math:`x``` and double backquotes become their text."""
    text = re.sub(r":\w+:`~?([^`<]*)(?:<[^>]*>)?`", r"\1", text)
    text = re.sub(r"`([^`<]+?)(?:\s*<[^>]*>)?`_{1,2}", r"\1", text)
    text = re.sub(r"\s*\(?[Dd]efault:.*$", "", text).strip()
    return text.replace("``", "").replace("`", "").rstrip(" .") + ("." if text else "")
