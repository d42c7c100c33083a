"""Files damaged at random: each opens, or is refused in one sentence that names it."""

from __future__ import annotations

import gzip
import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deepgui.data.errors import DataError
from deepgui.data.idx import read_idx
from deepgui.data.image_files import ImageShape, read_header, read_image
from deepgui.data.numpy_arrays import load

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)


def encoded(form: str) -> bytes:
    buffer = io.BytesIO()
    if form == "npz":
        np.savez(buffer, x=PIXELS, y=PIXELS)
    elif form == "npy":
        np.save(buffer, PIXELS)
    elif form.startswith("idx"):
        whole = bytes([0, 0, 8, 3]) + struct.pack(">3I", *PIXELS.shape) + PIXELS.tobytes()
        buffer.write(gzip.compress(whole) if form == "idx.gz" else whole)
    else:
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(PIXELS).save(buffer, form, exif=exif)
    return buffer.getvalue()


def picture(path: Path) -> None:
    read_header(path)
    read_image(path, ImageShape(4, 4, False))


READERS: dict[str, Callable[[Path], object]] = {
    "PNG": picture, "JPEG": picture, "TIFF": picture, "WEBP": picture,
    "npy": load, "npz": load, "idx": read_idx, "idx.gz": read_idx,
}  # fmt: skip
SAMPLES = {form: encoded(form) for form in READERS}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", READERS)
@given(
    damage=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=6), st.integers(0, 12)), min_size=1, max_size=4)
)
def test_a_damaged_file_opens_or_is_refused_in_one_sentence(tmp_path_factory, form, damage) -> None:
    data = SAMPLES[form]
    for at, new, gone in damage:
        data = data[: at % len(data)] + new + data[at % len(data) + gone :] or b"x"
    path = tmp_path_factory.getbasetemp() / f"damaged.{form.lower()}"
    path.write_bytes(data)
    refusal = None
    try:
        READERS[form](path)
    except DataError as error:
        refusal = str(error)
    assert refusal is None or (path.name in refusal and "\n" not in refusal)
