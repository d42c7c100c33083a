"""What a person says of a run: a title, tags, a note. Kept beside ``run.json``, which the training writes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from deepgui.project import atomic

FILE = "remarks.json"


@dataclass(frozen=True)
class Remarks:
    """``title`` stands in place of the folder's name; ``tags`` are single words or a few."""

    title: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""


def read(folder: Path) -> Remarks:
    """The remarks on a run; none where there is no file or it is not ours."""
    try:
        raw = json.loads((folder / FILE).read_text("utf-8"))
        return Remarks(str(raw.get("title", "")), tags(raw.get("tags", ())), str(raw.get("note", "")))
    except (OSError, ValueError, AttributeError, TypeError):
        return Remarks()


def write(folder: Path, remarks: Remarks) -> None:
    """Keep the remarks on a run. Raises OSError."""
    tidy = Remarks(" ".join(remarks.title.split()), tags(remarks.tags), remarks.note.strip())
    atomic.replace(folder / FILE, json.dumps(asdict(tidy), indent=1, ensure_ascii=False).encode())


def tags(words: object) -> tuple[str, ...]:
    """Each tag once, without blanks around it, in the order given. Raises TypeError for what is no list of words."""
    if isinstance(words, str) or not isinstance(words, (list, tuple)):
        raise TypeError("tags are a list of words")
    return tuple(dict.fromkeys(tidy for word in words if (tidy := " ".join(str(word).replace(",", " ").split()))))
