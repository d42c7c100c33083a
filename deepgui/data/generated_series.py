"""Time series that are computed: the equation of Mackey and Glass, and a sine."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec
from deepgui.data.embedded import SEED
from deepgui.data.series import Course, windowing, windows
from deepgui.data.source_spec import Options, integer, real
from deepgui.data.windows import Windows

_STEPS = ParamSpec("n", "int", 2000, minimum=100, doc="Number of steps.")
MACKEY_GLASS_PARAMS = (
    _STEPS,
    ParamSpec("tau", "int", 17, minimum=1, doc="The delay; above 16.8 the series is chaotic, and more so the longer."),
    *windowing(50, ahead=6),
)
SINE_PARAMS = (
    _STEPS,
    ParamSpec("period", "float", 25.0, minimum=2.0, doc="Steps of a wave."),
    ParamSpec("noise", "float", 0.1, minimum=0.0, doc="Standard deviation of the noise added to every step."),
    SEED,
    *windowing(50),
)
_SETTLING = 300  # time units until the series has forgotten how it began
_PARTS = 10  # integration steps in a time unit


def mackey_glass(options: Options) -> Windows:
    """``dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t)``, read once a time unit (Mackey and Glass, 1977)."""
    values = _mackey_glass(integer(options, "n"), integer(options, "tau"))[:, None]
    return windows(Course(values, ("x",), values, ("x",), notes=("the series is computed",)), options)


def sine(options: Options) -> Windows:
    """A sine with noise."""
    steps = np.arange(integer(options, "n"))
    noise = np.random.default_rng(integer(options, "seed")).normal(0, real(options, "noise"), len(steps))
    values = (np.sin(2 * np.pi * steps / real(options, "period")) + noise)[:, None]
    return windows(Course(values, ("x",), values, ("x",), notes=("the series is computed",)), options)


def _mackey_glass(count: int, tau: int) -> NDArray[np.float64]:
    """Runge-Kutta of fourth order; between two steps the past is taken to be straight."""
    delay, size = tau * _PARTS, 1 / _PARTS
    path = [1.2] * (delay + 1)  # the past up to now

    def slope(x: float, past: float) -> float:
        return 0.2 * past / (1 + past**10) - 0.1 * x

    for i in range((_SETTLING + count) * _PARTS):
        x, past, after = path[-1], path[i], path[i + 1]
        middle = (past + after) / 2
        a = slope(x, past)
        b = slope(x + size * a / 2, middle)
        c = slope(x + size * b / 2, middle)
        d = slope(x + size * c, after)
        path.append(x + size * (a + 2 * b + 2 * c + d) / 6)
    return np.array(path[delay + _SETTLING * _PARTS :: _PARTS][:count])
