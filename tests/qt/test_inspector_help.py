"""PyTorch's docstrings become readable pages, whatever they hold."""

from __future__ import annotations

import pytest

from deepgui.qt.inspector.help import inline, plain, to_html
from deepgui.qt.inspector.tex import readable


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"(N, C_{\text{in}}, H)", "(N, Cᵢₙ, H)"),
        (r"C_\text{in}", "Cᵢₙ"),
        (r"\frac{a + b}{c}", "(a + b) / c"),
        (r"\sqrt{k}", "√k"),
        (r"x^{2} \cdot y_{ij}", "x² · yᵢⱼ"),
        (r"\text{kernel\_size}[0]", "kernel_size[0]"),
        (r"\left\lfloor x \right\rfloor", "⌊ x ⌋"),
        (r"\{0, 1\}", "{0, 1}"),
    ],
)
def test_formulas_in_unicode(tex: str, text: str) -> None:
    assert readable(tex) == text


def test_markup_within_a_line() -> None:
    assert inline("``x < 1`` and :attr:`bias`") == "<code>x &lt; 1</code> and <code>bias</code>"
    assert inline("see :class:`~torch.nn.Conv2d`") == "see <code>Conv2d</code>"
    assert inline("a * b * c") == "a * b * c"
    assert plain("**bold** & ``code``") == "bold & code"


def test_sections_terms_lists_and_code() -> None:
    page = to_html(
        "Does it.\n\nArgs:\n    size (int): how many\n        there are\n    bias: or not\n\n"
        "* one\n* two\n\nExample::\n\n    >>> f(1)\n    2\n\n.. note::\n    Careful.\n\n.. _link:\n    https://x\n"
    )
    assert "<b>size</b> <i>int</i><br/>how many there are" in page
    assert "<ul><li>one</li><li>two</li></ul>" in page
    assert "<pre>&gt;&gt;&gt; f(1)\n2</pre>" in page
    assert "<p>Careful.</p>" in page
    assert "https" not in page


def test_every_layer_of_torch_has_a_clean_page() -> None:
    from deepgui.catalog.builtin import registry

    for spec in registry().values():
        page = to_html(spec.doc)
        for left_over in (":math:", ":attr:", r"\frac", r"\text{", ".. math"):
            assert left_over not in page or f"{left_over} " in page, (spec.kind, left_over)


@pytest.mark.parametrize(
    "odd", ["", "\n\n", "* ", ">>>", "Args:", "Args:\n", ".. math::", "x::\n", "`", ":math:`", "  a\n b"]
)
def test_odd_text_is_survived(odd: str) -> None:
    assert isinstance(to_html(odd), str)
