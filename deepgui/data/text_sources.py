"""Sources of text and what stands in it."""

from __future__ import annotations

from deepgui.data import labelled_texts, pairs, text_windows
from deepgui.data.source_spec import SourceSpec

_LANGUAGE = ("next_token", "masked_token")
_TRANSLATION = ("sequence_to_sequence",)

SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec(
        "python_text",
        "Python's help",
        "The help on the Python language that comes with Python, half a million characters, for language models.",
        text_windows.PYTHON_PARAMS,
        text_windows.python_text,
        _LANGUAGE,
        again=text_windows.python_text,
    ),
    SourceSpec(
        "text",
        "Text",
        "A text file or a folder of them, as windows of tokens for language models.",
        text_windows.TEXT_PARAMS,
        text_windows.read_text_source,
        _LANGUAGE,
        again=text_windows.read_text_source,
    ),
    SourceSpec(
        "names",
        "Names of invented tongues",
        "Generated names of five tongues with the same letters in another order: which is it?",
        labelled_texts.NAMES_PARAMS,
        labelled_texts.names,
        ("classification",),
        again=labelled_texts.names,
    ),
    SourceSpec(
        "sentences",
        "Texts with classes",
        "Names, sentences or reviews with a class each: files of lines, folders of files, or a table.",
        labelled_texts.PARAMS,
        labelled_texts.read_labelled_texts,
        ("classification",),
        again=labelled_texts.read_labelled_texts,
    ),
    SourceSpec(
        "dates",
        "Dates",
        "Generated dates as people write them, to be written as 2024-05-31.",
        pairs.DATES_PARAMS,
        pairs.date_pairs,
        _TRANSLATION,
        again=pairs.date_pairs,
    ),
    SourceSpec(
        "reversal",
        "Reversal",
        "Random letters, to be written from the end to the beginning.",
        pairs.REVERSAL_PARAMS,
        pairs.reversal_pairs,
        _TRANSLATION,
        again=pairs.reversal_pairs,
    ),
    SourceSpec(
        "pairs",
        "Pairs of texts",
        "Two columns of a table, one to be turned into the other.",
        pairs.PARAMS,
        pairs.read_pairs,
        _TRANSLATION,
        again=pairs.read_pairs,
    ),
)
