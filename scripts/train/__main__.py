"""Train the small video model, from nothing to a folder of weights: `python -m scripts.train WORK EXPORTED`.

Clips are rendered, the VAE is trained, clips become latents, UNet and image encoder are trained, all is written in
diffusers' layout. Every stage can be killed at any moment: the same command goes on from there. On a CPU this takes
hours. `--initial demo` takes the VAE as it is and goes on with the other two; with `--train-vae` it goes on with all
three, and gives the latents more channels where the settings have more.

`--minutes 7` is for accelerators: it renders the clips while it trains, and ends in time.
"""

import sys
from dataclasses import replace
from pathlib import Path

import jax
import tyro

from nvs_jax.commands.compilation_cache import enable_compilation_cache
from nvs_jax.errors import InputError
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.runs.stopping import EXIT_CODE
from scripts.mistakes import mistakes_in_one_line
from scripts.train.beginning import beginning
from scripts.train.clips import rendered_clips
from scripts.train.codec import encoded_clips, train_codec
from scripts.train.denoiser import latent_scale, split_weights, train_denoiser
from scripts.train.export import export
from scripts.train.minutes import train_for_minutes
from scripts.train.settings import TrainSettings


def main(
    work: tyro.conf.Positional[Path],
    exported: tyro.conf.Positional[Path],
    initial: str | None = None,
    settings: TrainSettings = TrainSettings(),  # noqa: B008
    minutes: float | None = None,
    train_vae: bool = False,
) -> None:
    """Train, or go on.

    Args:
        work: a folder for clips, latents, checkpoints and loss curves.
        exported: the folder to write the weights to.
        initial: weights to begin from, a folder or demo. None: random ones.
        settings: what is trained, on what, for how long.
        minutes: how long it may take, with rendering and writing. None: as many steps as `settings` say.
        train_vae: train the VAE of `initial` on; without it, it is kept.
    """
    if train_vae and initial is None:
        raise InputError("--train-vae trains the VAE of --initial on: name its weights, or leave it out")
    work.mkdir(parents=True, exist_ok=True)
    enable_compilation_cache()
    if minutes is not None:
        if not train_for_minutes(work, exported, minutes, initial, settings, train_vae=train_vae):
            sys.exit(EXIT_CODE)
        return
    first = beginning(initial, settings, train_vae)
    settings, vae, scale = first.settings, first.vae, first.scale
    clips = rendered_clips(work, settings.clips)
    if scale is None:
        vae = train_codec(work / "codec", vae, clips, settings)
    encoded = encoded_clips(work, vae, clips, settings)
    scale = latent_scale(encoded, settings) if scale is None else scale
    trained = train_denoiser(work / "denoiser", first.denoiser, encoded, scale, settings)
    unet, image_encoder = split_weights(trained)
    own, vae_config = settings.denoiser, replace(settings.codec.config, scaling_factor=scale)
    export(exported, SVDNetworks(own.unet, unet, vae_config, vae, own.image_encoder, image_encoder))
    parameters = sum(value.size for value in jax.tree.leaves((unet, vae, image_encoder)))
    print(f"{exported}: {parameters / 1e6:.2f} M parameters")


if __name__ == "__main__":
    with mistakes_in_one_line():
        tyro.cli(main)
