"""Residual networks of any depth, drawn from one block that is repeated (He et al. 2015, for small pictures)."""

from __future__ import annotations

from deepgui.builder import Network
from deepgui.library.convolution import conv_relu, residual_basic

STAGES = 3


def residual(
    depth: int, shape: tuple[int, int, int], classes: int, *, width: int = 16, skips: bool = True, name: str = "resnet"
) -> Network:
    """A network of ``depth`` layers: one convolution, three stages of repeated units, one linear layer.

    Each stage has half the size and twice the channels of the one before.

    Args:
        depth: 6·n + 2, such as 20, 56 or 110. shape: channels, height and width of a picture.
        width: channels of the first stage.
        skips: with the skip connections; without them it is the plain network of the same layers.

    Raises:
        ValueError: no such depth.
    """
    units, rest = divmod(depth - 2, 2 * STAGES)
    if rest or units < 1:
        raise ValueError(f"a residual network has 6·n + 2 layers, such as 20, 56 or 110, not {depth}")
    net = Network(name)
    x = net.add("Input", shape=shape, name="image")
    x = net.add(conv_relu(), x, out_channels=width, batch_norm=True, name="stem")
    for stage in range(STAGES):
        channels = width * 2**stage
        stride = 1 if stage == 0 else "=2 if index == 0 else 1"
        label = f"stage{stage + 1}"
        if skips:
            x = net.add(residual_basic(), x, out_channels=channels, stride=stride, repeat=units, name=label)
        else:
            plain = {"out_channels": channels, "stride": stride, "batch_norm": True, "repeat": 2 * units}
            x = net.add(conv_relu(), x, **plain, name=label)
    x = net.add("Flatten", net.add("AdaptiveAvgPool2d", x, output_size=1, name="mean"), name="flatten")
    net.add("Output", net.add("Linear", x, out_features=classes, name="scores"), name="classes")
    return net
