"""Recordings: every kind of WAV, classes and splits from names and folders, spectrograms, damaged files."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from deepgui.data import table as table_module
from deepgui.data.batches import Batches
from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.data.reading import FileTable
from deepgui.data.recognise import recognise
from deepgui.data.sound_sources import waveform_of
from deepgui.data.sources import open_source, resolved_options, source_fields
from deepgui.data.spectrograms import mel_filters
from deepgui.data.wave_files import read_wave, read_wave_header
from deepgui.project.values import DataConfig

RATE = 8000


def tone(pitch: float, seconds: float = 0.25, rate: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)


def wave(path: Path, values: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    wavfile.write(path, rate, (values * 32767).astype(np.int16))
    return path


def spoken(root: Path) -> Path:
    """Two classes by two speakers, numbered 0 to 4, as Free Spoken Digits names them."""
    for digit in (3, 7):
        for speaker in ("ann", "bob"):
            for index in range(5):
                wave(root / f"{digit}_{speaker}_{index}.wav", tone(100.0 * digit))
    return root


def config(root: Path, **options) -> DataConfig:
    return DataConfig("wav_folder", {"path": str(root), "rate": RATE, "seconds": 0.25, **options}, normalize="none")


def wave_24_bits(path: Path, values: np.ndarray) -> None:
    body = b"".join(struct.pack("<i", int(v * (2**23 - 1)))[:3] for v in values)
    head = struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, RATE, RATE * 3, 3, 24, b"data", len(body))
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(head) + len(body)) + b"WAVE" + head + body)


@pytest.mark.parametrize("bits", [8, 16, 24, 32, "float", "double"])
def test_every_width_of_samples_gives_the_same_sound(tmp_path, bits) -> None:
    values, path = tone(440), tmp_path / "a.wav"
    if bits == 24:
        wave_24_bits(path, values)
    elif bits == 8:
        wavfile.write(path, RATE, (values * 127 + 128).round().astype(np.uint8))
    elif bits in (16, 32):
        wavfile.write(path, RATE, (values * (2 ** (bits - 1) - 1)).astype(f"int{bits}"))
    else:
        wavfile.write(path, RATE, values.astype({"float": np.float32, "double": np.float64}[bits]))
    assert read_wave_header(path) == (RATE, 1, 2000)
    np.testing.assert_allclose(read_wave(path, RATE), values, atol=0.01 if bits == 8 else 1e-4)


def test_channels_are_averaged_and_another_rate_is_resampled(tmp_path) -> None:
    both = np.stack([tone(440, rate=44100), np.zeros(11025)], axis=1)
    wavfile.write(tmp_path / "a.wav", 44100, both.astype(np.float32))
    sound = read_wave(tmp_path / "a.wav", RATE)
    assert len(sound) == 2000
    np.testing.assert_allclose(sound[100:-100], tone(440)[100:-100] / 2, atol=2e-3)


def test_classes_from_names_and_the_official_test_examples(tmp_path) -> None:
    dataset = prepare(config(spoken(tmp_path / "digits" / "recordings").parent, test_numbers="0-1"))
    assert dataset.target.classes == ("3", "7")
    assert [len(s) for s in dataset.splits.values()] == [10, 2, 8]
    files = sorted((tmp_path / "digits" / "recordings").iterdir())
    assert {files[row].stem[-1] for row in dataset.test.rows} == {"0", "1"}
    assert {files[row].stem[-1] for row in dataset.train.rows} == {"2", "3", "4"}


def test_classes_from_folders_and_splits_from_folders(tmp_path) -> None:
    for part in ("train", "test"):
        for name, pitch in (("low", 200), ("high", 2000)):
            for i in range(5):
                wave(tmp_path / part / name / f"{i}.WAV", tone(pitch))
    table = open_source(config(tmp_path))
    assert table.fields[1].classes == ("high", "low")
    assert table.fixed["test"].tolist() == list(range(10, 20))
    with pytest.raises(DataError, match="leave test_numbers empty"):
        open_source(config(tmp_path, test_numbers="0"))


def test_a_tone_lights_up_its_own_band(tmp_path) -> None:
    table = open_source(config(spoken(tmp_path), mels=20))
    image = table.get(torch.tensor([0]))["spectrogram"][0, 0]
    assert image.shape == (20, 1 + 2000 // 128)
    centres = mel_filters(20, 256, RATE) @ torch.linspace(0, RATE / 2, 129) / mel_filters(20, 256, RATE).sum(1)
    assert int(image.mean(1).argmax()) == int((centres - 300).abs().argmin())
    assert 0 <= image.min() < image.max() == 1


def test_mel_filters_share_every_frequency_between_two_bands() -> None:
    filters = mel_filters(20, 1024, 16000)
    inner = slice(int(filters[0].argmax()), int(filters[-1].argmax()) + 1)
    torch.testing.assert_close(filters.sum(0)[inner], torch.ones(len(filters.sum(0)[inner])))
    assert (filters.argmax(1).diff() > 0).all()


def test_forms_and_what_they_sound_like(tmp_path) -> None:
    spoken(tmp_path)
    assert source_fields(config(tmp_path, form="spectrogram"))[0].shape == (1, 129, 16)
    waveform = config(tmp_path, form="waveform", seconds=0.5)
    assert source_fields(waveform)[0].shape == (4000, 1)
    got = open_source(waveform).get(torch.tensor([2]))["waveform"][0, :, 0]
    assert not got[2000:].any(), "what is shorter ends in silence"
    sound, rate = waveform_of("wav_folder", resolved_options(waveform), 2)
    assert rate == RATE
    assert torch.equal(sound, got)


def test_silence_is_empty_and_not_nothing(tmp_path) -> None:
    spoken(tmp_path)
    wave(tmp_path / "0_ann_0.wav", np.zeros(2000))
    image = open_source(config(tmp_path)).get(torch.tensor([0]))["spectrogram"]
    assert (image == 0).all()


def test_what_is_done_to_recordings_is_said(tmp_path) -> None:
    spoken(tmp_path)
    wave(tmp_path / "3_cid_0.wav", tone(300, seconds=1))
    wave(tmp_path / "3_cid_1.wav", tone(300, rate=16000), 16000)
    assert open_source(config(tmp_path)).notes == (
        "1 recording is longer than 0.25 s: what comes later is left out",
        "1 recording is not recorded at 8,000 Hz and therefore resampled",
    )


def test_damaged_recordings_are_named(tmp_path) -> None:
    path = wave(spoken(tmp_path) / "3_bad_9.wav", tone(300))
    whole = path.read_bytes()
    header = bytearray(whole)
    header[20:22] = (7).to_bytes(2, "little")  # compressed, as telephones do
    for content, message in (
        (b"", "the file is empty"),
        (b"OggS" + bytes(100), "this is not a WAV file"),
        (whole[:1000], "the recording is cut off: 956 bytes of sound, where its header says 4,000"),
        (whole[:30], "it ends before its sound begins"),
        (whole[:40] + bytes(4), "there is no sound in this recording"),
        (bytes(header), "the recording cannot be decoded"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=message) as caught:
            open_source(config(tmp_path))
        assert Path(caught.value.file) == path
    wavfile.write(path, RATE, np.full(2000, np.nan, dtype=np.float32))
    with pytest.raises(DataError, match=r"3_bad_9\.wav: the recording holds values that are no numbers"):
        open_source(config(tmp_path))


def test_settings_that_cannot_be_met_get_one_sentence(tmp_path) -> None:
    with pytest.raises(DataError, match=r"no \.wav file"):
        open_source(config(tmp_path))
    wave(tmp_path / "a_1.wav", tone(200))
    with pytest.raises(DataError, match="all recordings are of one class, 'a'"):
        open_source(config(tmp_path))
    wave(tmp_path / "b_1.wav", tone(200))
    wave(tmp_path / "c_1.wav", tone(200))
    with pytest.raises(DataError, match="every name begins differently"):
        open_source(config(tmp_path))
    spoken(tmp_path)
    for options, message in (
        ({"test_numbers": "0-"}, "test_numbers must be like 0-4"),
        ({"test_numbers": "4-0"}, "test_numbers must rise"),
        ({"test_numbers": "8"}, "no recording's name ends in one of the test_numbers 8"),
        ({"mels": 128}, "128 mel bands are too many for a window of 32.0 ms at 8,000 Hz"),
        ({"seconds": 0.01}, "a window of 32.0 ms does not fit in 10 ms of sound"),
    ):
        with pytest.raises(DataError, match=message):
            open_source(config(tmp_path, **options))


def test_recordings_that_do_not_fit_stay_in_their_files_and_look_the_same(tmp_path, monkeypatch) -> None:
    small = prepare(config(spoken(tmp_path)))
    monkeypatch.setattr(table_module, "FITS_BYTES", 100)
    (tmp_path / "3_ann_0.wav").touch()
    large = prepare(config(tmp_path))
    assert isinstance(large.train.table, FileTable)
    assert pickle.loads(pickle.dumps(large.train)).get(torch.tensor([0]))["label"] == 0, (
        "it travels to worker processes"
    )
    batches = list(Batches(large.train, 4, shuffle=True, seed=1, workers=0).epoch(0))
    kept = list(Batches(small.train, 4, shuffle=True, seed=1).epoch(0))
    for batch, other in zip(batches, kept, strict=True):
        assert torch.equal(batch["spectrogram"], other["spectrogram"])
        assert torch.equal(batch["label"], other["label"])


def test_tones_are_the_same_for_a_seed_and_differ_by_kind() -> None:
    options = {"n": 60, "noise": 0.0}
    table = open_source(DataConfig("tones", options))
    other = open_source(DataConfig("tones", {**options, "seed": 1}))
    rows = torch.arange(60)
    assert torch.equal(
        table.get(rows)["spectrogram"], open_source(DataConfig("tones", options)).get(rows)["spectrogram"]
    )
    assert not torch.equal(table.get(rows)["spectrogram"], other.get(rows)["spectrogram"])
    lit = (table.get(rows)["spectrogram"] > 0.5).float().mean((1, 2, 3))
    by_kind = {name: float(lit[table.labels() == i].mean()) for i, name in enumerate(table.fields[1].classes)}
    assert by_kind["sine"] < by_kind["square"] < by_kind["noise"]
    sound, rate = waveform_of("tones", resolved_options(DataConfig("tones", options)), 3)
    assert len(sound) == rate // 2
    assert sound.abs().max() <= 1


def test_a_folder_of_recordings_is_recognised(tmp_path) -> None:
    assert recognise(spoken(tmp_path / "digits" / "recordings").parent) == "wav_folder"
    assert recognise(tmp_path / "digits" / "recordings") == "wav_folder"
    with pytest.raises(DataError, match="a single recording"):
        recognise(tmp_path / "digits" / "recordings" / "3_ann_0.wav")
