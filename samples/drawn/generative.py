"""Networks that give pictures back, or make new ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from deepgui import Network
from deepgui.builder import Handle
from deepgui.library import diffusion, generative
from deepgui.project.values import DataConfig, Project, TrainingConfig
from drawn.places import place

PIXELS = (1, 8, 8)


def digits_autoencoder() -> Project:
    """Digits through two numbers and back."""
    net = Network("digits_autoencoder")
    x = net.add("Input", shape=PIXELS, name="image", at=place(0, 0))
    x = net.add("Flatten", x, name="flatten", at=place(1, 0))
    for number, width in enumerate((128, 64), 1):
        x = net.add("Linear", x, out_features=width, name=f"encode{number}", at=place(0, number))
        x = net.add("ReLU", x, name=f"encoded{number}", at=place(1, number))
    x = net.add("Linear", x, out_features=2, name="code", at=place(2, 2))
    for number, width in enumerate((64, 128), 1):
        x = net.add("Linear", x, out_features=width, name=f"decode{number}", at=place(3, 3 - number))
        x = net.add("ReLU", x, name=f"decoded{number}", at=place(4, 3 - number))
    x = net.add("Linear", x, out_features=64, name="pixels", at=place(3, 0))
    x = net.add("Unflatten", x, dim=1, unflattened_size=PIXELS, name="picture", at=place(4, 0))
    net.add("Output", x, name="reconstruction", at=place(5, 0))
    training = TrainingConfig(
        objective="reconstruction", optimizer_options={"lr": 2e-3}, scheduler="OneCycleLR", epochs=60
    )
    return net.project("Digits autoencoder", data=DataConfig("digits", normalize="none"), training=training)


def digits_vae() -> Project:
    """A plane of codes from which new digits can be drawn."""
    net = Network("digits_vae")
    x = net.add("Input", shape=PIXELS, name="image", at=place(0, 0))
    x = net.add("Flatten", x, name="flatten", at=place(1, 0))
    x = net.add("Linear", x, out_features=128, name="encode", at=place(0, 1))
    x = net.add("ReLU", x, name="encoded", at=place(1, 1))
    mean = net.add("Linear", x, out_features=2, name="mean_layer", at=place(2, 1))
    spread = net.add("Linear", x, out_features=2, name="log_variance_layer", at=place(2, 2))
    z = net.add(generative.reparameterise(), mean, spread, name="code", at=place(3, 1))
    x = net.add("Linear", z, out_features=128, name="decode", at=place(4, 1))
    x = net.add("ReLU", x, name="decoded", at=place(5, 1))
    x = net.add("Linear", x, out_features=64, name="pixels", at=place(4, 0))
    x = net.add("Unflatten", x, dim=1, unflattened_size=PIXELS, name="picture", at=place(5, 0))
    net.add("Output", x, name="reconstruction", at=place(6, 0))
    net.add("Output", mean, name="mean", at=place(3, 0))
    net.add("Output", spread, name="log_variance", at=place(3, 2))
    training = TrainingConfig(objective="variational", optimizer_options={"lr": 3e-3}, epochs=60)
    return net.project("Digits VAE", data=DataConfig("digits", normalize="none"), training=training)


def digits_gan() -> Project:
    """Digits made of noise by one network, while another looks for the fakes."""
    maker = Network("Generator")
    x = maker.add("Input", shape=(32,), name="noise", at=place(0, 0))
    x = maker.add("Linear", x, out_features=256, name="seed", at=place(1, 0))
    x = maker.add("Unflatten", x, dim=1, unflattened_size=(64, 2, 2), name="small", at=place(2, 0))
    x = maker.add("BatchNorm2d", x, name="norm", at=place(0, 1))
    x = maker.add("ReLU", x, name="relu", at=place(1, 1))
    x = maker.add(generative.generator_step(), x, out_channels=32, name="upsample", at=place(2, 1))
    x = maker.add(
        "ConvTranspose2d", x, out_channels=1, kernel_size=4, stride=2, padding=1, name="pixels", at=place(0, 2)
    )
    x = maker.add("Sigmoid", x, name="sigmoid", at=place(1, 2))
    maker.add("Output", x, name="image", at=place(2, 2))

    judge = Network("Discriminator")
    x = judge.add("Input", shape=PIXELS, name="image", at=place(0, 0))
    x = judge.add(generative.discriminator_step(), x, out_channels=32, batch_norm=False, name="halve1", at=place(1, 0))
    x = judge.add(generative.discriminator_step(), x, out_channels=64, batch_norm=False, name="halve2", at=place(2, 0))
    x = judge.add("Flatten", x, name="flatten", at=place(0, 1))
    x = judge.add("Linear", x, out_features=1, name="verdict", at=place(1, 1))
    judge.add("Output", x, name="real", at=place(2, 1))
    training = TrainingConfig(
        objective="adversarial",
        optimizer_options={"lr": 1e-3, "betas": (0.5, 0.999)},
        epochs=100,
        batch_size=64,
    )
    project = maker.project("Digits GAN", data=DataConfig("digits", normalize="none"), training=training)
    networks = {"generator": maker.network(), "discriminator": judge.network()}
    return replace(project, networks=networks, blocks={**project.blocks, **judge.blocks})


def digits_diffusion() -> Project:
    """A small U-Net that takes noise away until a digit is left."""
    net = Network("digits_diffusion")
    noisy = net.add("Input", shape=PIXELS, name="noisy", at=place(0, 0))
    step = net.add("Input", shape=(1,), name="time", at=place(0, 1))
    time = net.add(diffusion.time_embedding(), step, channels=32, embed_dim=32, name="time_embedding", at=place(1, 1))

    def unit(x: Handle, channels: int, name: str, column: float, row: float) -> Handle:
        block = diffusion.diffusion_residual()
        return net.add(
            block, x, time, out_channels=channels, num_groups=4, dropout=0.0, name=name, at=place(column, row)
        )

    x = net.add("Conv2d", noisy, out_channels=16, kernel_size=3, padding=1, name="conv_in", at=place(1, 0))
    wide = unit(x, 16, "down1", 2, 0)
    x = net.add(diffusion.downsample(), wide, out_channels=16, name="downsample", at=place(2, 2))
    x = unit(x, 32, "down2", 3, 2)
    x = unit(x, 32, "middle", 4, 2)
    x = net.add(diffusion.upsample(), x, out_channels=16, name="upsample", at=place(5, 2))
    x = net.add("cat", wide, x, name="together", at=place(5, 0))
    x = unit(x, 16, "up1", 6, 0)
    x = net.add("GroupNorm", x, num_groups=4, name="norm_out", at=place(7, 0))
    x = net.add("SiLU", x, name="silu_out", at=place(8, 0))
    x = net.add("Conv2d", x, out_channels=1, kernel_size=3, padding=1, name="conv_out", at=place(9, 0))
    net.add("Output", x, name="noise", at=place(10, 0))
    training = TrainingConfig(
        objective="diffusion", optimizer_options={"lr": 4e-3}, scheduler="OneCycleLR", epochs=100, batch_size=48
    )
    return net.project("Digits diffusion", data="digits", training=training)


SAMPLES: dict[str, Callable[[], Project]] = {
    "digits_autoencoder": digits_autoencoder,
    "digits_vae": digits_vae,
    "digits_gan": digits_gan,
    "digits_diffusion": digits_diffusion,
}
