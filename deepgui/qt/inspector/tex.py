"""TeX formulas of docstrings written with the letters that Unicode has for them. Knows no Qt."""

from __future__ import annotations

import re

_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "eta": "η",
    "theta": "θ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
    "psi": "ψ", "omega": "ω", "Delta": "Δ", "Phi": "Φ", "Sigma": "Σ", "Omega": "Ω",
    "times": "×", "cdot": "·", "cdots": "⋯", "ldots": "…", "dots": "…", "star": "⋆", "ast": "∗", "odot": "⊙",
    "sum": "∑", "prod": "∏", "int": "∫", "infty": "∞", "partial": "∂", "nabla": "∇",
    "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "neq": "≠", "ne": "≠", "approx": "≈", "sim": "∼", "in": "∈",
    "lt": "<", "gt": ">", "pm": "±", "to": "→", "rightarrow": "→", "mapsto": "↦", "mid": "|", "Vert": "‖", "vert": "|",
    "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "quad": "  ", "qquad": "    ", "forall": "∀",
    "log": "log", "exp": "exp", "max": "max", "min": "min", "tanh": "tanh", "sin": "sin", "cos": "cos", "top": "ᵀ",
    "neg": "¬", "circ": "∘", "cup": "∪", "cap": "∩", "sup": "sup", "lim": "lim", "gcd": "gcd", "bmod": "mod",
}  # fmt: skip
_WRAPPERS = "text|textbf|textit|texttt|mathrm|mathbf|mathcal|mathbb|mathtt|operatorname|hat|bar"
_SUPER = dict(zip("0123456789+-()nT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿᵀ", strict=True))
_SUB = dict(zip("0123456789+-()aeijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₐₑᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_DEEPEST = 6
_GROUP = r"\{((?:[^{}]|\{[^{}]*\})*)\}"


def readable(tex: str) -> str:
    """A formula in one line of Unicode: ``\\frac{a}{b}`` reads ``a / b``, ``x_{0}`` reads ``x₀``."""
    text = re.sub(r"\\(begin|end)\{\w+\*?\}(\{[^}]*\})?", " ", tex)
    text = re.sub(r"\\(left|right|big|Big|bigg|Bigg)[lr]?(?![a-zA-Z])", "", text)
    text = text.replace("\\\\", "; ").replace("&", "").replace("\\,", " ").replace("\\;", " ").replace("\\!", "")
    text = text.replace("\\_", "_\u2060").replace("\\{", "\u0001").replace("\\}", "\u0002")
    text = re.sub(rf"([_^])\\(?:{_WRAPPERS})\s*{_GROUP}", r"\1{\2}", text)
    for _ in range(_DEEPEST):
        before = text
        text = re.sub(rf"\\(?:{_WRAPPERS})\s*{_GROUP}", r"\1", text)
        text = re.sub(rf"\\[dt]?frac\s*{_GROUP}\s*{_GROUP}", lambda m: f"{_bind(m[1])} / {_bind(m[2])}", text)
        text = re.sub(rf"\\sqrt\s*{_GROUP}", lambda m: f"√{m[1]}" if len(m[1]) == 1 else f"√({m[1]})", text)
        if text == before:
            break
    text = re.sub(r"\\([A-Za-z]+)", lambda m: _SYMBOLS.get(m[1], m[1]), text)
    text = re.sub(rf"_(?:{_GROUP}|([A-Za-z0-9]))", lambda m: _script(m, _SUB, "_"), text)
    text = re.sub(rf"\^(?:{_GROUP}|([A-Za-z0-9+-]))", lambda m: _script(m, _SUPER, "^"), text)
    text = text.replace("{", "").replace("}", "").replace("\u0001", "{").replace("\u0002", "}").replace("\u2060", "")
    return re.sub(r"\s+", " ", text.replace("~", " ")).strip(" ;")


def _bind(part: str) -> str:
    part = part.strip()
    return f"({part})" if re.search(r"[\s+\-*/]", part) and not part.startswith("(") else part


def _script(found: re.Match[str], letters: dict[str, str], mark: str) -> str:
    inner = (found[1] if found[1] is not None else found[2]).strip()
    if inner and all(letter in letters for letter in inner):
        return "".join(letters[letter] for letter in inner)
    return f"{mark}{inner}" if len(inner) == 1 or inner.isalnum() else f"{mark}({inner})"
