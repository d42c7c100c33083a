"""Making sentences of what other rooms say."""

from __future__ import annotations


def sentence(text: str) -> str:
    """``text`` on one line with a capital (unless it begins with a name or path) and a full stop."""
    text = " ".join(text.split())
    first = text.partition(" ")[0]
    if first.isalpha():
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
