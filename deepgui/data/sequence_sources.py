"""Sources of numbers over time, and sequences with a class."""

from __future__ import annotations

from deepgui.data import generated_series, series, ucr
from deepgui.data.source_spec import SourceSpec

_FORECAST = ("regression",)

SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec(
        "mackey_glass",
        "Mackey-Glass",
        "The classical chaotic series, computed; its future is to be forecast.",
        generated_series.MACKEY_GLASS_PARAMS,
        generated_series.mackey_glass,
        _FORECAST,
    ),
    SourceSpec(
        "sine",
        "Sine",
        "A wave with noise, to be forecast.",
        generated_series.SINE_PARAMS,
        generated_series.sine,
        _FORECAST,
    ),
    SourceSpec(
        "series",
        "Time series",
        "Columns of a CSV file with a row for each step, to be forecast.",
        series.PARAMS,
        series.read_series,
        _FORECAST,
    ),
    SourceSpec(
        "ucr",
        "UCR time series",
        "Series with a class each: the .ts files of the UCR and UEA archives.",
        ucr.PARAMS,
        ucr.read_ucr,
        ("classification", "regression"),
        again=ucr.read_ucr,
    ),
)
