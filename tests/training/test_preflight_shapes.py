"""An Input without a shape gets one from the data by one click."""

from __future__ import annotations

import deepgui
from deepgui.catalog.builtin import registry
from deepgui.compiler.report import check
from deepgui.graph import edits
from deepgui.project.values import DataConfig, Project
from deepgui.training.preflight import with_shapes


def test_the_shape_of_the_data_is_offered() -> None:
    net = deepgui.Network("unset")
    net.add("Output", net.add("Linear", net.add("Input", shape=(3,)), out_features=3))
    network = edits.unset_param(net.network(), "input", "shape")
    project = Project("wine", {"network": network}, DataConfig(source="wine"))
    problems = with_shapes(project, "network", check(network, registry()).problems)
    fixes = [p.fix for p in problems if p.node == "input" and p.fix is not None]
    assert fixes, [p.message for p in problems]
    assert check(fixes[0].apply(network), registry()).nodes["input"].outputs["output"].shape == "N×13"
