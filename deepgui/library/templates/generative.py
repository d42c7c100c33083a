"""Networks that make pictures, or paint over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deepgui.builder import Handle, Network
from deepgui.library import diffusion, generative, unet
from deepgui.library.templates.catalogue import published
from deepgui.project.values import Project


@published(
    "U-Net",
    31_030_658,
    "Down four steps and up again, with what was seen on the way: cells in microscope pictures "
    "(Ronneberger et al. 2015).",
    placed=True,
)
def unet_2015(image: int = 572, classes: int = 2, width: int = 64, depth: int = 4) -> Project:
    """Convolutions without padding, as in the paper: of 572 pixels 388 are answered."""
    net = Network("UNet")
    x = net.add("Input", shape=(1, image, image), name="image", at=_step(0, 0))
    x = net.add(unet.double_conv(), x, out_channels=width, padding=0, name="entry", at=_step(1, 0))
    kept, sizes = [x], [image - 4]
    for n in range(1, depth + 1):
        kept.append(net.add(unet.unet_down(), kept[-1], padding=0, name=f"down{n}", at=_step(n + 1, n)))
        sizes.append(sizes[-1] // 2 - 4)
    x, size = kept.pop(), sizes.pop()
    for n in range(1, depth + 1):
        crop = (sizes.pop() - 2 * size) // 2
        size = 2 * size - 4
        at = _step(depth + 1 + n, depth - n)
        x = net.add(unet.unet_up(), x, kept.pop(), crop=crop, padding=0, name=f"up{n}", at=at)
    end = 2 * depth + 2
    x = net.add("Conv2d", x, out_channels=classes, kernel_size=1, name="classes", at=_step(end, 0))
    net.add("Output", x, name="mask", at=_step(end + 1, 0))
    return net.project("U-Net")


def _step(column: int, row: int) -> tuple[float, float]:
    """A place on the grid, in scene units."""
    return column * 280.0, row * 240.0


@published(
    "DCGAN",
    23_694_592,
    "A generator and a discriminator of convolutions alone, 64×64 pixels (Radford et al. 2015).",
)
def dcgan(latent: int = 100, width: int = 128, channels: int = 3) -> Project:
    """Two networks. The width is that of the generator's last but one picture."""
    generator = Network("Generator")
    x = generator.add("Input", shape=(latent,), name="noise")
    x = generator.add("unflatten", x, dim=1, sizes=(latent, 1, 1), name="seed")
    x = generator.add(generative.generator_step(), x, out_channels=8 * width, stride=1, padding=0, name="step1")
    for number, factor in enumerate((4, 2, 1), 2):
        x = generator.add(generative.generator_step(), x, out_channels=factor * width, name=f"step{number}")
    x = generator.add(
        "ConvTranspose2d", x, out_channels=channels, kernel_size=4, stride=2, padding=1, bias=False, name="picture"
    )
    generator.add("Output", generator.add("Tanh", x, name="tanh"), name="image")

    critic = Network("Discriminator")
    x = critic.add("Input", shape=(channels, 64, 64), name="image")
    for number, factor in enumerate((1, 2, 4, 8), 1):
        x = critic.add(
            generative.discriminator_step(),
            x,
            out_channels=factor * width,
            batch_norm=number > 1,
            name=f"step{number}",
        )
    x = critic.add("Conv2d", x, out_channels=1, kernel_size=4, bias=False, name="verdict")
    critic.add("Output", critic.add("Flatten", x, name="flatten"), name="real")
    project = generator.project("DCGAN")
    networks = {"generator": generator.network(), "discriminator": critic.network()}
    return replace(project, networks=networks, blocks={**project.blocks, **critic.blocks})


@published(
    "DDPM U-Net",
    35_746_307,
    "Tells the noise in a picture, given how much there is: the network for CIFAR-10 (Ho et al. 2020).",
    placed=True,
)
def ddpm(
    image: int = 32,
    width: int = 128,
    multipliers: Sequence[int] = (1, 2, 2, 2),
    units: int = 2,
    attend: Sequence[int] = (16,),
    num_groups: int = 32,
    channels: int = 3,
) -> Project:
    """``attend`` names the picture sizes at which every pixel looks at all others."""
    net = Network("DiffusionUNet")
    rows = _Rows(left=1, right=3 + 2 * (units + 1))
    x = net.add("Input", shape=(channels, image, image), name="image", at=rows.place(0))
    step = net.add("Input", shape=(1,), name="step", at=rows.place(-1))
    x = net.add("Conv2d", x, out_channels=width, kernel_size=3, padding=1, name="conv_in", at=rows.place(0))
    time = net.add(
        diffusion.time_embedding(),
        step,
        channels=width,
        embed_dim=4 * width,
        name="time_embedding",
        at=rows.place(-1),
    )
    draw = _Drawing(net, time, num_groups, rows)
    kept, size = [x], image
    for level, factor in enumerate(multipliers):
        for unit in range(units):
            x = draw.unit(x, factor * width, f"down{level}_unit{unit}", level, attends=size in attend)
            kept.append(x)
        if level + 1 < len(multipliers):
            x = net.add(diffusion.downsample(), x, name=f"down{level}_sample", at=rows.place(level))
            kept.append(x)
            size //= 2
    bottom = len(multipliers)
    x = draw.unit(x, multipliers[-1] * width, "middle_unit0", bottom, attends=True)
    x = draw.unit(x, multipliers[-1] * width, "middle_unit1", bottom)
    rows.turn()
    for level, factor in reversed(list(enumerate(multipliers))):
        for unit in range(units + 1):
            x = net.add("cat", x, kept.pop(), name=f"up{level}_joined{unit}", at=rows.place(level))
            x = draw.unit(x, factor * width, f"up{level}_unit{unit}", level, attends=size in attend)
        if level:
            x = net.add(diffusion.upsample(), x, name=f"up{level}_sample", at=rows.place(level))
            size *= 2
    x = net.add("GroupNorm", x, num_groups=num_groups, eps=1e-6, name="norm_out", at=rows.place(0))
    x = net.add("SiLU", x, name="silu_out", at=rows.place(0))
    x = net.add("Conv2d", x, out_channels=channels, kernel_size=3, padding=1, name="conv_out", at=rows.place(0))
    net.add("Output", x, name="noise", at=rows.place(0))
    return net.project("DDPM U-Net")


class _Rows:
    """Places in the shape of a U: a row for each size of picture, down on the left and up on the right."""

    def __init__(self, left: int, right: int) -> None:
        self._start, self._right = left, right
        self._used: dict[int, int] = {}

    def place(self, row: int) -> tuple[float, float]:
        """The next place in a row, in scene units."""
        column = self._used.get(row, 0)
        self._used[row] = column + 1
        return _step(column + (self._start if row > 0 else 0), row)

    def turn(self) -> None:
        """From here on it goes up."""
        self._used = dict.fromkeys(self._used, self._right - self._start) | {0: self._right}


class _Drawing:
    """What every residual unit of a diffusion network has in common."""

    def __init__(self, net: Network, time: Handle, num_groups: int, rows: _Rows) -> None:
        self._net, self._time, self._groups, self._rows = net, time, num_groups, rows

    def unit(self, x: Handle, channels: int, name: str, row: int, *, attends: bool = False) -> Handle:
        """A residual unit, and attention behind it if wanted."""
        x = self._net.add(
            diffusion.diffusion_residual(),
            x,
            self._time,
            out_channels=channels,
            num_groups=self._groups,
            name=name,
            at=self._rows.place(row),
        )
        if attends:
            x = self._net.add(
                diffusion.pixel_attention(),
                x,
                num_groups=self._groups,
                name=f"{name}_attention",
                at=self._rows.place(row),
            )
        return x
