"""Train the small video model, from nothing to a folder of weights: `python -m scripts.train WORK EXPORTED`.

Clips are rendered, the VAE is trained, clips become latents, UNet and image encoder are trained, all is written in
diffusers' layout. Every stage can be killed at any moment: the same command goes on from there. On a CPU this takes
hours. `--initial demo` takes the VAE as it is and goes on with the other two.

`--minutes 7` is for accelerators: it renders the clips while it trains, and ends in time.
"""

import sys
from dataclasses import replace
from pathlib import Path

import jax
import tyro

from convert import load_networks
from nvs_jax.commands.compilation_cache import enable_compilation_cache
from nvs_jax.models.svd.networks import SVDNetworks, as_svd
from nvs_jax.runs.stopping import EXIT_CODE
from scripts.train.clips import rendered_clips
from scripts.train.codec import encoded_clips, train_codec
from scripts.train.denoiser import first_weights, joined_weights, latent_scale, split_weights, train_denoiser
from scripts.train.export import export
from scripts.train.minutes import train_for_minutes
from scripts.train.settings import TrainSettings


def main(
    work: tyro.conf.Positional[Path],
    exported: tyro.conf.Positional[Path],
    initial: str | None = None,
    settings: TrainSettings = TrainSettings(),  # noqa: B008
    minutes: float | None = None,
) -> None:
    """Train, or go on.

    Args:
        work: a folder for clips, latents, checkpoints and loss curves.
        exported: the folder to write the weights to.
        initial: weights to begin from, a folder or demo; their VAE is kept. None: random ones.
        settings: what is trained, on what, for how long.
        minutes: how long it may take, with rendering and writing. None: as many steps as `settings` say.
    """
    work.mkdir(parents=True, exist_ok=True)
    enable_compilation_cache()
    if minutes is not None:
        if not train_for_minutes(work, exported, minutes, initial, settings):
            sys.exit(EXIT_CODE)
        return
    clips = rendered_clips(work, settings.clips)
    if initial is None:
        vae, first = train_codec(work / "codec", clips, settings), first_weights(settings.denoiser)
    else:
        networks = as_svd(load_networks(initial, "float32"))
        vae, first = networks.vae, joined_weights(networks.unet, networks.image_encoder)
    encoded = encoded_clips(work, vae, clips, settings)
    unet, image_encoder = split_weights(train_denoiser(work / "denoiser", first, encoded, settings))
    vae_config = replace(settings.codec.config, scaling_factor=latent_scale(encoded, settings))
    own = settings.denoiser
    export(exported, SVDNetworks(own.unet, unet, vae_config, vae, own.image_encoder, image_encoder))
    parameters = sum(value.size for value in jax.tree.leaves((unet, vae, image_encoder)))
    print(f"{exported}: {parameters / 1e6:.2f} M parameters")


if __name__ == "__main__":
    tyro.cli(main)
