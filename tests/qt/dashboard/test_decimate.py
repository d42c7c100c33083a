"""Curves keep their shape at the width of the screen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepgui.qt.dashboard.decimate import Smoother, envelope, nice_ceiling


def test_short_curves_are_unchanged():
    x, y = np.arange(50.0), np.sin(np.arange(50.0))
    assert envelope(x, y, 100)[1] is y


def test_a_single_spike_survives():
    y = np.zeros(1_000_000)
    y[123_456], y[777_777] = 9.0, -4.0
    x, kept = envelope(np.arange(len(y), dtype=float), y, 300)
    assert len(kept) <= 602
    assert kept.max() == 9.0
    assert kept.min() == -4.0
    assert x[kept.argmax()] == 123_456


@given(arrays(float, st.integers(1, 500), elements=st.floats(-1e6, 1e6)), st.integers(1, 60))
def test_envelope_keeps_range_ends_and_order(y, pixels):
    x, kept = envelope(np.arange(len(y), dtype=float), y, pixels)
    assert len(kept) <= max(len(y) if len(y) <= 2 * pixels else 0, 2 * pixels + 2)
    assert (kept.min(), kept.max()) == (y.min(), y.max())
    assert (kept[0], kept[-1]) == (y[0], y[-1])
    assert (np.diff(x) > 0).all()
    assert np.array_equal(y[x.astype(int)], kept)


def test_values_that_are_not_finite_are_left_out():
    y = np.array([1.0, np.nan, 2.0, np.inf, 3.0])
    assert envelope(np.arange(5.0), y, 10)[1].tolist() == [1, 2, 3]
    assert len(envelope(np.arange(2.0), np.full(2, np.nan), 10)[1]) == 0


def test_smoothing_in_pieces_equals_smoothing_at_once():
    values = np.random.default_rng(0).normal(size=1000)
    pieces, whole = Smoother(0.9), Smoother(0.9)
    for end in (1, 2, 300, 301, 1000):
        result = pieces(values[:end])
    assert result == pytest.approx(whole(values))
    assert result[0] == pytest.approx(values[0])
    assert result[500:].std() < values.std() / 3


def test_smoothing_passes_over_nan():
    smooth = Smoother(0.5)(np.array([1.0, np.nan, 1.0]))
    assert smooth[[0, 2]] == pytest.approx([1, 1])
    assert np.isnan(smooth[1])


def test_axes_grow_in_steps():
    assert [nice_ceiling(v) for v in (0, 0.9, 101, 130, 2000)] == [1, 1, 120, 150, 2000]
