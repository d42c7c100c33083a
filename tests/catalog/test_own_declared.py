"""Layers of one's own are declared from their text alone; what cannot be a layer is refused in one sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepgui.catalog.own.declared import LARGEST, OwnError, declare, layer_names
from deepgui.catalog.spec import Infer, LayerSpec

HEAD = "import torch\nfrom torch import nn\n\n\n"


def _layer(body: str, base: str = "nn.Module") -> str:
    return f"{HEAD}class Mine({base}):\n{body}"


def _forward(arguments: str = "self, x", returned: str = "x") -> str:
    return f"    def forward({arguments}):\n        return {returned}\n"


def _params(signature: str) -> dict[str, tuple[object, ...]]:
    spec = declare(_layer(f"    def __init__({signature}):\n        super().__init__()\n\n{_forward()}"))
    return {p.name: (p.type, p.default, p.required, p.nullable) for p in spec.params}


def test_annotations_say_what_a_parameter_is() -> None:
    found = _params(
        "self, in_features: int, rate: float = 0.1, *, bias: bool = True, name: 'str | None' = None,"
        " size: tuple[int, int] = (2, 3), many: list[float] = (), count: 'Optional[int]' = 4, free=None, device=None"
    )
    assert found == {
        "in_features": ("int", None, True, False),
        "rate": ("float", 0.1, False, False),
        "bias": ("bool", True, False, False),
        "name": ("str", None, False, True),
        "size": ("ints", (2, 3), False, False),
        "many": ("floats", (), False, False),
        "count": ("int", 4, False, True),
        "free": ("literal", None, False, True),
    }


def test_a_default_tells_the_type_where_no_annotation_does_and_one_that_must_be_run_is_left_alone() -> None:
    assert _params("self, width=64, act=nn.ReLU, eps=-1e-5") == {
        "width": ("int", 64, False, False),
        "act": ("literal", None, False, True),
        "eps": ("float", -1e-5, False, False),
    }


def test_words_of_a_literal_are_choices() -> None:
    spec = declare(_layer(f"    def __init__(self, mode: Literal['a', 'b'] = 'a'):\n        pass\n\n{_forward()}"))
    assert (spec.param("mode").type, spec.param("mode").choices) == ("choice", ("a", "b"))


def test_sizes_with_torchs_names_are_read_from_the_first_wire() -> None:
    init = "    def __init__(self, in_channels, out_channels=8):\n        pass\n\n"
    spec = declare(_layer(init + _forward("self, a")))
    assert spec.param("in_channels").infer == Infer("a", 1)


def test_forward_gives_ports_settings_and_outputs() -> None:
    spec = declare(
        _layer(
            _forward("self, x, mask=None, scale: float = 1.0, *, flag: bool = False", "x, mask")
            + "\n    def inner(self):\n        def nested():\n            return 1\n        return nested\n"
        )
    )
    assert [(p.name, p.optional) for p in spec.inputs] == [("x", False), ("mask", True)]
    assert [(p.name, p.call) for p in spec.params] == [("scale", True), ("flag", True)]
    assert [(p.name, p.path) for p in spec.outputs] == [("x", (0,)), ("mask", (1,))]


def test_a_list_of_tensors_takes_any_number_of_wires() -> None:
    (port,) = declare(_layer(_forward("self, parts: list[torch.Tensor]", "parts[0]"))).inputs
    assert port.variadic


def test_a_class_inherits_from_another_of_the_source_and_from_a_known_layer() -> None:
    source = _layer(_forward("self, image")) + "\n\nclass Second(Mine):\n    pass\n"
    assert [p.name for p in declare(source, "Second").inputs] == ["image"]
    base = LayerSpec("Conv2d", "torch.nn.Conv2d", "module", "x", params=())
    known = {"Conv2d": replace(base, inputs=declare(source, "Mine").inputs, _by_name={})}
    assert [p.name for p in declare(_layer("    pass\n", "nn.Conv2d"), known=known).inputs] == ["image"]


def test_helpers_are_no_layers_and_the_last_class_is_the_one() -> None:
    source = _layer(_forward()) + f"\n\nclass _Part(nn.Module):\n{_forward()}\n\nclass Whole(nn.Module):\n{_forward()}"
    assert layer_names(source) == ("Mine", "Whole")
    assert declare(source).kind == "Whole"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = = 1", "Line 1: this is not valid Python"),
        ("", "there is no class here that derives from nn.Module"),
        ("class A:\n    def forward(self, x):\n        return x\n", "there is no class here"),
        (_layer("    pass\n"), "Mine has no forward"),
        (_layer(_forward("self, *xs", "xs")), "Line 6: forward takes *xs: name each input"),
        (_layer(_forward("self, x, *, y")), "Line 6: the input y of forward must not stand behind a *"),
        (_layer(_forward("", "1")), "forward needs self"),
        (_layer(f"    def __init__(self, a, /):\n        pass\n{_forward()}"), "must not stand before a /"),
        (_layer(f"    def __init__(self, device):\n        pass\n{_forward()}"), "device of __init__ needs a default"),
        ("(" * 10_000, "this is not valid Python"),
        ("a = " + "-" * 30_000 + "1", "this is not valid Python"),
        ("x = '\0'", "this is not valid Python"),
        ("x = '\ud800'", "this is not valid Python"),
        ("#" * (LARGEST + 1), "a layer may have 262,144"),
        ("class A(A):\n    pass\n", "there is no class here"),
    ],
)
def test_what_cannot_be_a_layer_is_refused(source: str, said: str) -> None:
    with pytest.raises(OwnError) as caught:
        declare(source)
    assert said in str(caught.value)


def test_declaring_runs_nothing() -> None:
    source = _layer(_forward()) + "\n\nraise SystemExit(1)\n"
    assert declare(source).kind == "Mine"
