"""``deepgui demo`` without a display: the real window trains, and the model and a picture are left."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from sklearn.datasets import load_digits


@pytest.mark.slow
def test_demo_offscreen_leaves_model_and_picture(tmp_path: Path) -> None:
    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    env["DEEPGUI_HOME"] = str(tmp_path / "home")
    words = ["-m", "deepgui", "demo", "--offscreen"]
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b(\d{3,})/\1\b", done.stderr), "the bar did not reach its end"
    out = tmp_path / "deepgui-demo"
    names = {"digits_cnn.onnx", "digits_cnn.py", "digits_cnn.safetensors", "window.png"}
    assert {p.name for p in out.iterdir()} == names
    assert all(name in done.stdout for name in names)
    assert not (tmp_path / "home").exists()
    with Image.open(out / "window.png") as picture:
        assert picture.width >= 1200
        colours = picture.convert("RGB").getcolors(1 << 24)
        assert colours is not None
        assert len(colours) > 300
    digits = load_digits()
    session = onnxruntime.InferenceSession(str(out / "digits_cnn.onnx"), providers=["CPUExecutionProvider"])
    images = (digits.images[:, None] / 16).astype(np.float32)
    scores = session.run(None, {"image": (images - images.mean()) / images.std()})[0]
    assert (scores.argmax(1) == digits.target).mean() > 0.98
