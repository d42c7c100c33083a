"""Whenever the process is killed, the file on the disk is a whole one."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from deepgui.project import atomic, file

SAVER = """
import sys
from deepgui.graph import edits
from deepgui.project import file
from deepgui.project.values import edit_network, empty_project

project = empty_project()
for _ in range(200):
    project = edit_network(project, "network", lambda n: edits.add_node(n, "Conv2d", {"out_channels": 8})[0])
file.write(project, sys.argv[1])
print("ready", flush=True)
while True:
    project = edit_network(project, "network", lambda n: edits.add_node(n, "ReLU")[0])
    file.write(project, sys.argv[1])
"""


def test_a_kill_at_any_moment_leaves_a_project_that_opens(tmp_path: Path) -> None:
    path = tmp_path / "mine.deepgui"
    moments = random.Random(0)
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", SAVER, str(path)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(0.05, 0.25))
            process.kill()
        assert len(file.read(path).networks["network"].nodes) >= 200
        assert file.read(atomic.backup_of(path)).networks
