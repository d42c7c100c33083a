"""Texts that are made up: names of invented tongues, dates in many forms, letters to reverse."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import date, timedelta

from deepgui.data.errors import DataError

_CONSONANTS, _VOWELS = "bdgklmnrstv", "aeiou"


def _open(chance: random.Random) -> str:
    """A consonant and a vowel."""
    return chance.choice(_CONSONANTS) + chance.choice(_VOWELS)


def _closed(chance: random.Random) -> str:
    """A vowel and a consonant."""
    return chance.choice(_VOWELS) + chance.choice(_CONSONANTS)


def _arvish(chance: random.Random) -> str:
    return "".join(_closed(chance) for _ in range(chance.randint(2, 4)))


def _benko(chance: random.Random) -> str:
    return "".join(_open(chance) for _ in range(chance.randint(2, 5)))


def _cithiki(chance: random.Random) -> str:
    first = _open(chance)
    return first + "".join(_open(chance) for _ in range(chance.randint(1, 3))) + first


def _dorrin(chance: random.Random) -> str:
    middle = chance.choice(_CONSONANTS)
    return _open(chance) + middle + middle + _closed(chance) + (_closed(chance) if chance.random() < 0.5 else "")


def _eluan(chance: random.Random) -> str:
    return _closed(chance) + "".join(_open(chance) for _ in range(chance.randint(1, 2))) + _closed(chance)


TONGUES = {"Arvish": _arvish, "Benko": _benko, "Cithiki": _cithiki, "Dorrin": _dorrin, "Eluan": _eluan}
"""All with the same letters: what tells them apart is their order. Cithiki's names end as they begin."""

_TRIES = 60  # for each text that is wanted, before there are none left to find


def _distinct(count: int, make: Callable[[], tuple[str, str]], what: str) -> list[tuple[str, str]]:
    """Pairs whose first text occurs once, so that no example is in two splits."""
    found: dict[str, str] = {}
    tries = 0
    while len(found) < count:
        text, answer = make()
        found.setdefault(text, answer)
        tries += 1
        if tries > _TRIES * count:
            raise DataError(f"there are not {count:,} different {what}: lower n")
    return list(found.items())


def invented_names(n: int, seed: int) -> list[tuple[str, str]]:
    """Names and the tongue that each is of, the tongues in turn, no name twice."""
    chance = random.Random(seed)
    turn = 0

    def make() -> tuple[str, str]:
        nonlocal turn
        turn += 1
        tongue = tuple(TONGUES)[turn % len(TONGUES)]
        return TONGUES[tongue](chance).capitalize(), tongue

    return _distinct(n, make, "names")


def dates(n: int, seed: int) -> list[tuple[str, str]]:
    """A date as people write it (English, several forms, none that could be read in two ways) and as ISO 8601."""
    chance = random.Random(seed)
    first, span = date(1900, 1, 1), (date(2099, 12, 31) - date(1900, 1, 1)).days

    def make() -> tuple[str, str]:
        day = first + timedelta(chance.randint(0, span))
        return chance.choice(_FORMS)(day), day.isoformat()

    return _distinct(n, make, "dates")


def reversal(n: int, seed: int, longest: int) -> list[tuple[str, str]]:
    """Random small letters and the same from the end to the beginning."""
    chance = random.Random(seed)

    def make() -> tuple[str, str]:
        text = "".join(chance.choices(string.ascii_lowercase, k=chance.randint(min(3, longest), longest)))
        return text, text[::-1]

    return _distinct(n, make, "texts of this length")


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _ordinal(number: int) -> str:
    if number in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


_FORMS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d.day} {_MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{_MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"{_DAYS[d.weekday()]}, {d.day} {_MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{d.day} {_MONTHS[d.month - 1][:3].lower()} {d.year}",
    lambda d: f"{_MONTHS[d.month - 1][:3]} {_ordinal(d.day)} {d.year}",
    lambda d: f"the {_ordinal(d.day)} of {_MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{d.day}.{d.month}.{d.year}",
    lambda d: f"{d.year}/{d.month:02}/{d.day:02}",
    lambda d: f"{_DAYS[d.weekday()].lower()} {_MONTHS[d.month - 1].lower()} {d.day} {d.year}",
)
