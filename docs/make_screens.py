"""Makes the pictures in docs/screens: the real window, trained, in both themes.

QT_QPA_PLATFORM=offscreen python docs/make_screens.py [--size 1600x1000] [--out docs/screens]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["DEEPGUI_HOME"] = tempfile.mkdtemp(prefix="deepgui-screens-")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))

from in_window import Window

import deepgui
from deepgui.paths import samples
from deepgui.qt import app, theme

SCENES = {
    "digits_cnn": ("conv2", "feature_maps", "training"),
    "moons_mlp": ("hidden2", "boundary", "training"),
    "wine_mlp": ("hidden", "confusion", "training"),
    "digits_vae": ("decoder", "results", "training"),
    "digits_gan": ("generator", "results", "training"),
    "mackey_glass_lstm": ("lstm", "results", "training"),
    "date_translation": ("decoder", "results", "training"),
}


def shoot(sample: str, out: Path, size: tuple[int, int], themes: tuple[str, ...]) -> None:
    """Train a sample to its end with one panel in front, then take the window with each panel and theme."""
    node, view, training = SCENES[sample]
    with Window(deepgui.load(samples() / f"{sample}.deepgui")) as opened:
        window = opened.window
        window.resize(*size)
        opened.settle(1.0)
        window.workbench.arrange(size[0])
        window.workbench.canvas.fit_all()
        opened.session.select(n.id for n in opened.session.network.nodes.values() if n.label == node)
        window.workbench.reveal(view)
        opened.settle(0.5)
        controller = window.controller
        controller.start()
        opened.live(120, lambda: controller.state in ("finished", "failed"))
        opened.settle(1.5)
        for panel in (view, training):
            window.workbench.reveal(panel)
            opened.settle(0.8)
            for name in themes:
                theme.use(name)
                opened.settle(0.6)
                window.grab().save(str(out / f"{sample}-{panel}-{name}.png"))


def start_page(out: Path, size: tuple[int, int], themes: tuple[str, ...]) -> None:
    window = app.make_window()
    window.resize(*size)
    window.show()
    window.finish_loading()
    for name in themes:
        theme.use(name)
        app.application().processEvents()
        window.grab().save(str(out / f"start-{name}.png"))
    window.shut_down()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1600x1000")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "screens")
    parser.add_argument("--themes", nargs="*", default=theme.THEMES)
    parser.add_argument("--samples", nargs="*", default=tuple(SCENES))
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    start_page(arguments.out, (width, height), tuple(arguments.themes))
    for sample in arguments.samples:
        shoot(sample, arguments.out, (width, height), tuple(arguments.themes))


if __name__ == "__main__":
    main()
