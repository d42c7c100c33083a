"""A window killed while it trains: the project opens again, and the training goes on from its last checkpoint."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from window.desktop import Desktop

from deepgui import paths
from deepgui.project.file import read, write
from deepgui.training.checkpoints import position

pytestmark = [pytest.mark.window, pytest.mark.timeout(180)]

CONTROLLER = "app.activeWindow().controller"
EPOCHS = 5000


def open_project(desktop: Desktop, project: Path) -> None:
    desktop.start(str(project))
    desktop.wait(f"{CONTROLLER} is not None and find('train_button').isVisible()", "the training panel", 60)


def checkpoint_after_start(runs: Path) -> Path | None:
    """The last checkpoint once some steps are in it: one is written before the first, too."""
    found = next(runs.glob("*/checkpoints/last.pt"), None)
    return found if found is not None and position(found).step > 0 else None


def test_kill_9_while_training_then_go_on(desktop: Desktop, tmp_path: Path) -> None:
    sample = read(paths.samples() / "digits_cnn.deepgui")
    path = tmp_path / "digits.deepgui"
    write(replace(sample, training=replace(sample.training, epochs=EPOCHS, checkpoint_minutes=0.02)), path)

    open_project(desktop, path)
    desktop.click("train_button")
    checkpoint = desktop.wait(lambda: checkpoint_after_start(tmp_path / "digits.runs"), "a checkpoint", 60)
    assert desktop.program is not None
    desktop.program.send_signal(signal.SIGKILL)
    assert desktop.wait_for_end() == -signal.SIGKILL
    left_at = position(checkpoint).step
    assert left_at > 0

    open_project(desktop, path)
    desktop.wait("find('resume_button').isVisible()", "the offer to go on", 30)
    told = desktop.ask("find('training_banner_text').text()")
    assert "interrupted" in told
    assert f"of {EPOCHS:,}, step {left_at:,}." in told
    desktop.screenshot(tmp_path / "offer.png")
    desktop.click("resume_button")
    desktop.wait(f"{CONTROLLER}.state == 'running'", "training that goes on", 60)
    assert desktop.ask(f"{CONTROLLER}.started.resumed_from") == left_at
    desktop.wait(f"{CONTROLLER}.progress.step > {left_at} + 20", "steps beyond the checkpoint", 30)
    curve = f"{CONTROLLER}.feed.column('train_loss')[0]"
    assert desktop.ask(f"[int({curve}[0]), bool(({curve}[1:] - {curve}[:-1] == 1).all())]") == [1, True]
    desktop.screenshot(tmp_path / "going_on.png")
    desktop.click("stop_button")
    desktop.wait(f"{CONTROLLER}.state == 'finished'", "the end of the run", 30)
    desktop.wait("find('resume_button').isVisible()", "the offer to go on after a stop", 30)
    assert len(list((tmp_path / "digits.runs").iterdir())) == 1
    desktop.close()
    desktop.wait_for_end()
