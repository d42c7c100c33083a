"""LeNet-5 on the real MNIST files, drawn with the builder and trained by ``deepgui train``.

    python benchmarks/lenet_mnist.py FOLDER_WITH_THE_IDX_FILES [--epochs 12]

Prints the number of parameters (61,706) and the test accuracy (target: at least 99.0 %).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import deepgui
from deepgui.project.values import DataConfig, Project, TrainingConfig

PARAMETERS, TARGET = 61_706, 0.990


def lenet(data: Path, epochs: int) -> Project:
    """LeNet-5 with ReLU and max pooling, on 28×28 pictures padded to 32×32."""
    net = deepgui.Network("lenet")
    x = net.add("Input", shape=(1, 28, 28))
    for channels, padding in ((6, 2), (16, 0)):
        x = net.add("Conv2d", x, out_channels=channels, kernel_size=5, padding=padding)
        x = net.add("MaxPool2d", net.add("ReLU", x), kernel_size=2)
    x = net.add("Flatten", x)
    for features in (120, 84):
        x = net.add("ReLU", net.add("Linear", x, out_features=features))
    net.add("Output", net.add("Linear", x, out_features=10))
    training = TrainingConfig(
        epochs=epochs,
        batch_size=64,
        optimizer="Adam",
        optimizer_options={"lr": 2e-3},
        scheduler="OneCycleLR",
        scheduler_options={"max_lr": 4e-3},
    )
    return net.project(
        "lenet_mnist", data=DataConfig(source="idx", options={"path": str(data)}, validation=0.05), training=training
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=12)
    arguments = parser.parse_args()
    project = lenet(arguments.data.resolve(), arguments.epochs)
    report = deepgui.check(project)
    print(f"parameters: {report.parameters:,} (published: {PARAMETERS:,})")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lenet.deepgui"
        deepgui.save(project, path)
        command = [sys.executable, "-m", "deepgui", "train", str(path), "--runs", folder, "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    finished = json.loads(done.stdout.splitlines()[-1])
    metrics = finished["metrics"]
    print(f"test accuracy: {metrics['test_accuracy']:.2%} (target {TARGET:.1%}), {finished['seconds']:.0f} s")
    sys.exit(0 if report.parameters == PARAMETERS and metrics["test_accuracy"] >= TARGET else 1)


if __name__ == "__main__":
    main()
