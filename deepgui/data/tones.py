"""Generated tones of several shapes: sound to learn from without a recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data import spectrograms
from deepgui.data.fields import label_field
from deepgui.data.spectrograms import SoundForm
from deepgui.data.table import TensorTable

CLASSES = ("sine", "square", "sawtooth", "chirp", "tremolo", "noise")
RATE = 8000
SECONDS = 0.5
PARAMS = (
    ParamSpec("n", "int", 1200, minimum=30, doc="Number of tones."),
    ParamSpec("noise", "float", 0.05, minimum=0.0, doc="Loudness of the hiss below every tone."),
    ParamSpec("seed", "int", 0, minimum=0, doc="Of the random numbers; the same seed gives the same tones."),
    *spectrograms.PARAMS,
)

Floats = NDArray[np.float64]
_CHUNK = 256  # tones turned into spectrograms at a time


def tones(options: Mapping[str, Value]) -> TensorTable:
    """Half a second of sound at 8 kHz each, of :data:`CLASSES`, pitch, phase, loudness and envelope at random."""
    form = SoundForm.of(options, RATE, round(RATE * SECONDS))
    sound, labels = waveforms(options)
    seen = torch.cat([form.apply(part) for part in torch.split(sound, _CHUNK)])
    tensors = {form.field.name: seen, "label": labels}
    return TensorTable((form.field, label_field("label", CLASSES)), "label", tensors)


def waveforms(options: Mapping[str, Value]) -> tuple[Tensor, Tensor]:
    """The samples, (n, T) within -1..1, and the class of each, (n,), in the order of the table's rows."""
    random = np.random.default_rng(int(str(options["seed"])))
    n, samples = int(str(options["n"])), round(RATE * SECONDS)
    labels = np.arange(n) % len(CLASSES)
    time = np.arange(samples) / RATE
    sound = np.empty((n, samples), dtype=np.float32)
    for row in range(n):
        made = _tone(CLASSES[labels[row]], time, random) * _envelope(time, random) * random.uniform(0.2, 1.0)
        made += float(str(options["noise"])) * random.normal(size=samples)
        sound[row] = (made / max(1.0, np.abs(made).max())).astype(np.float32)
    return torch.from_numpy(sound), torch.from_numpy(labels.astype(np.int64))


def _tone(kind: str, time: Floats, random: np.random.Generator) -> Floats:
    """One tone within -1..1, between 110 and 880 Hz."""
    pitch = 110 * 2 ** random.uniform(0, 3)
    turns = pitch * time + random.uniform()
    if kind == "square":
        return np.sign(np.sin(2 * np.pi * turns))
    if kind == "sawtooth":
        return 2 * (turns % 1) - 1
    if kind == "chirp":  # the pitch moves by an octave or more, up or down
        octaves = random.choice([-1, 1]) * random.uniform(1, 2)
        rise = (2 ** (octaves * time / SECONDS) - 1) * SECONDS / (octaves * np.log(2))
        turns = pitch * rise + random.uniform()
    if kind == "tremolo":
        beat = random.uniform(6, 14) * time + random.uniform()
        return np.sin(2 * np.pi * turns) * (0.55 + 0.45 * np.sin(2 * np.pi * beat))
    if kind == "noise":
        return random.normal(0, 0.4, len(time)).clip(-1, 1)
    return np.sin(2 * np.pi * turns)


def _envelope(time: Floats, random: np.random.Generator) -> Floats:
    """Silence, a rise, and a fall that does not reach silence before the end."""
    begin, rise, fall = random.uniform(0, 0.1), random.uniform(0.005, 0.05), random.uniform(0.2, 1.5)
    since = np.clip(time - begin, 0, None)
    return np.minimum(since / rise, 1) * np.exp(-since / fall)
