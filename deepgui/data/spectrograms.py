"""Sound as a network sees it: the waveform itself, its spectrogram, or a spectrogram on the mel scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.fields import Field

FORMS = ("mel", "spectrogram", "waveform")
PARAMS = (
    ParamSpec(
        "form",
        "choice",
        "mel",
        choices=FORMS,
        doc="What the network sees: a spectrogram with frequencies as people hear them (mel), one with even "
        "frequencies, or the waveform itself.",
    ),
    ParamSpec("mels", "int", 40, minimum=1, doc="Bands of a mel spectrogram."),
    ParamSpec("window", "float", 32.0, minimum=1.0, doc="Milliseconds that a column of a spectrogram looks at."),
    ParamSpec("hop", "float", 16.0, minimum=0.5, doc="Milliseconds between two columns."),
)

_RANGE_DB = 80.0  # what is so far below the loudest moment counts as silence
_SILENCE = 1e-10


@dataclass(frozen=True)
class SoundForm:
    """How recordings of ``samples`` samples at ``rate`` Hz are shown to a network.

    Attributes:
        form: of :data:`FORMS`.
        window, hop: of the short-time Fourier transform, in samples.
        mels: bands of a mel spectrogram.
    """

    form: str
    rate: int
    samples: int
    window: int
    hop: int
    mels: int

    @classmethod
    def of(cls, options: Mapping[str, Value], rate: int, samples: int) -> SoundForm:
        """From the options of :data:`PARAMS`. Raises DataError if they leave bands empty or have no room."""
        window, hop = (max(1, round(float(str(options[name])) * rate / 1000)) for name in ("window", "hop"))
        found = cls(str(options["form"]), rate, samples, window, hop, int(str(options["mels"])))
        if found.form != "waveform" and window > samples:
            lasts = f"{samples / rate * 1000:g}"
            raise DataError(f"a window of {options['window']} ms does not fit in {lasts} ms of sound: make it shorter")
        if found.form == "mel" and (mel_filters(found.mels, found.n_fft, rate).sum(1) == 0).any():
            text = f"{found.mels} mel bands are too many for a window of {options['window']} ms at {rate:,} Hz"
            raise DataError(f"{text}: some would be empty; choose fewer bands or a longer window")
        return found

    @property
    def n_fft(self) -> int:
        """Length of the Fourier transform: the power of two from the window on."""
        return 1 << (self.window - 1).bit_length()

    @property
    def field(self) -> Field:
        """``waveform`` (T, 1), or ``spectrogram`` (1, bands, columns) from low to high frequencies."""
        if self.form == "waveform":
            return Field("waveform", "series", (self.samples, 1))
        bands = self.mels if self.form == "mel" else self.n_fft // 2 + 1
        return Field("spectrogram", "image", (1, bands, 1 + self.samples // self.hop))

    def apply(self, sound: Tensor) -> Tensor:
        """Waveforms (..., T) in this form, (..., *field.shape). Spectrograms have values in 0..1.

        A spectrogram is the power in decibels below the loudest place of the same recording, from -80 (0) to 0 (1).
        """
        if self.form == "waveform":
            return sound.unsqueeze(-1)
        flat = sound.reshape(-1, sound.shape[-1])
        window = torch.hann_window(self.window)
        # Padding with silence, not with a reflection: short recordings are padded with silence anyway.
        waves = torch.stft(flat, self.n_fft, self.hop, self.window, window, pad_mode="constant", return_complex=True)
        power = waves.abs().square()
        if self.form == "mel":
            power = mel_filters(self.mels, self.n_fft, self.rate) @ power
        loudest = power.amax((1, 2), keepdim=True).clamp(min=_SILENCE)
        decibels = 10 * (power / loudest).clamp(min=10 ** (-_RANGE_DB / 10)).log10()
        return (decibels / _RANGE_DB + 1).reshape(*sound.shape[:-1], *self.field.shape)


def to_mel(hertz: Tensor) -> Tensor:
    """The mel scale of O'Shaughnessy (1987): steps that sound equally far apart."""
    return 2595 * torch.log10(1 + hertz / 700)


def from_mel(mel: Tensor) -> Tensor:
    """Hertz of a place on the mel scale."""
    return 700 * (10 ** (mel / 2595) - 1)


@lru_cache(maxsize=8)
def mel_filters(mels: int, n_fft: int, rate: int) -> Tensor:
    """Triangles that overlap by half, evenly spaced on the mel scale from 0 to ``rate / 2``; (mels, n_fft // 2 + 1).

    Each rises from 0 at the centre of the one before to 1 at its own and falls to 0 at the next one's.
    """
    places = torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    ends = to_mel(torch.tensor([0.0, rate / 2], dtype=torch.float64))
    edges = from_mel(torch.linspace(float(ends[0]), float(ends[1]), mels + 2, dtype=torch.float64))
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (places - low) / (centre - low), (high - places) / (high - centre)
    return torch.minimum(rising, falling).clamp(min=0).to(torch.float32)
