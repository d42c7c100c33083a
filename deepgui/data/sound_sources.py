"""Sources of recordings."""

from __future__ import annotations

from torch import Tensor

from deepgui.data import sound_folder, tones
from deepgui.data.errors import DataError
from deepgui.data.source_spec import Options, SourceSpec

SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec(
        "tones",
        "Tones",
        "Generated tones of six shapes, as spectrograms or waveforms.",
        tones.PARAMS,
        tones.tones,
        ("classification",),
    ),
    SourceSpec(
        "wav_folder",
        "Recordings",
        "WAV files; the class is the folder or begins the name.",
        sound_folder.PARAMS,
        sound_folder.read_sound_folder,
        ("classification",),
        sound_folder.sound_folder_fields,
    ),
)


def waveform_of(source: str, options: Options, row: int) -> tuple[Tensor, int]:
    """What an example sounds like: samples within -1..1, shape (T,), and how many make a second.

    Args:
        options: a value for every option, as :meth:`SourceSpec.options` gives.
        row: number of the example in the table.

    Raises:
        DataError: the source has no sound, or the recording cannot be read.
    """
    if source == "tones":
        return tones.waveforms(options)[0][row], tones.RATE
    if source == "spoken_digits":
        from deepgui.data.known_sources import known_sets  # reads recordings by what this module lists

        source, options = "wav_folder", known_sets()[source].located(options)
    if source == "wav_folder":
        found = sound_folder.recordings(options)
        return found.waveform(row), found.form.rate
    raise DataError(f"the source {source} has no sound")
