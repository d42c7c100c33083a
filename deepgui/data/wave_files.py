"""Reading one WAV file: its header alone, or its samples as one channel at a given rate."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from functools import cache
from math import gcd
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from deepgui.data.errors import DataError

EXTENSIONS = (".wav", ".wave")
_UNKNOWN_SIZE = 0xFFFFFFFF  # what programs write that did not know how long it would become


class WaveHeader(NamedTuple):
    """What the first bytes of a recording tell. ``frames``: samples of each channel."""

    rate: int
    channels: int
    frames: int

    @property
    def seconds(self) -> float:
        return self.frames / self.rate


def read_wave_header(path: Path) -> WaveHeader:
    """Rate, channels and length without reading the samples.

    Raises:
        DataError: no WAV file, one that is empty, or one that ends before its header says.
    """
    try:
        with path.open("rb") as file:
            return _header(file, path.stat().st_size, path)
    except OSError as error:
        raise DataError(f"the recording cannot be read ({error.strerror})", file=path) from None


def _header(file: BinaryIO, size: int, path: Path) -> WaveHeader:
    if size == 0:
        raise DataError("the file is empty", file=path)
    start = file.read(12)
    if start[:4] not in (b"RIFF", b"RIFX") or start[8:12] != b"WAVE":
        raise DataError("this is not a WAV file, whatever its name says", file=path)
    order = "<" if start[:4] == b"RIFF" else ">"
    form: tuple[int, ...] | None = None
    for name, length in _chunks(file, order):
        if name == b"fmt " and length >= 16:
            form = struct.unpack(order + "HHIIHH", file.read(16).ljust(16, b"\0"))
            file.seek(-16, 1)
        if name == b"data" and form is not None:
            _, channels, rate, _, block, _ = form
            left = size - file.tell()
            length = left if length == _UNKNOWN_SIZE else length
            if not (rate and channels and block):
                raise DataError("the header of this recording is damaged", file=path)
            if left < length:
                text = f"the recording is cut off: {left:,} bytes of sound, where its header says {length:,}"
                raise DataError(text, file=path)
            if length < block:
                raise DataError("there is no sound in this recording", file=path)
            return WaveHeader(rate, channels, length // block)
    raise DataError("the recording is cut off: it ends before its sound begins", file=path)


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int]]:
    """Name and length of every chunk; the file stands at its content when it is yielded."""
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack(order + "4sI", head)
        begin = file.tell()
        yield name, length
        file.seek(begin + length + length % 2)  # chunks begin at even places


def read_wave(path: Path, rate: int) -> NDArray[np.float32]:
    """The samples within -1..1, shape (T,): channels averaged, resampled to ``rate``.

    PCM of 8, 16, 24 and 32 bits and floating point.

    Raises:
        DataError: what :func:`read_wave_header` raises, and sound that is compressed or no number.
    """
    read_wave_header(path)
    try:
        own, values = _wavfile().read(path)
    except Exception as error:  # a damaged header can make it raise anything
        reason = str(error).split(". ")[0] or type(error).__name__
        raise DataError(f"the recording cannot be decoded ({reason})", file=path) from None
    sound = _to_floats(values)
    if sound.ndim > 1:
        sound = sound.mean(axis=1, dtype=np.float32)
    if not np.isfinite(sound).all():
        raise DataError("the recording holds values that are no numbers", file=path)
    return resampled(sound, own, rate)


@cache
def _wavfile() -> Any:
    from scipy.io import wavfile

    warnings.filterwarnings("ignore", category=wavfile.WavFileWarning)  # chunks with titles and the like
    return wavfile


def _to_floats(values: NDArray[Any]) -> NDArray[np.float32]:
    floats = values.astype(np.float32)
    if values.dtype == np.uint8:  # 8 bits are the only ones without a sign
        return (floats - np.float32(128)) / np.float32(128)
    if values.dtype.kind == "i":
        return floats / np.float32(2 ** (8 * values.dtype.itemsize - 1))
    return floats


def resampled(sound: NDArray[np.float32], own: int, rate: int) -> NDArray[np.float32]:
    """Samples taken at ``own`` Hz as they would be at ``rate``, low-passed before (polyphase filter)."""
    if own == rate:
        return sound
    from scipy.signal import resample_poly

    common = gcd(own, rate)
    found: NDArray[np.float32] = resample_poly(sound, rate // common, own // common).astype(np.float32)
    return found
