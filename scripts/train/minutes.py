"""The whole training within some minutes, the last of which are for writing the weights.

At every checkpoint the weights so far are written to WORK/latest, in the layout of the end. A process that is killed
leaves that folder; one that is asked to stop writes the end's folder too. The same command goes on with the time that
is left.
"""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp

from convert import load_networks
from nvs_jax.disk import atomic_path
from nvs_jax.models.svd.networks import SVDNetworks, as_svd
from nvs_jax.models.svd.vae.network import VAE
from nvs_jax.models.weights import Weights, random_weights
from scripts.train.clock import Clock, Span, since, stop_when_asked
from scripts.train.codec import codec_stage, encode_by_number
from scripts.train.denoiser import denoiser_stage, first_weights, joined_weights, split_weights
from scripts.train.export import export
from scripts.train.losses import LossLog
from scripts.train.settings import TrainSettings
from scripts.train.stage import Run
from scripts.train.within import train_within


@dataclass(frozen=True)
class Beginning:
    """What the training begins with.

    Attributes:
        vae: its weights.
        scale: what latents are multiplied by; None: that is found when the VAE has been trained.
        denoiser: weights of the other two networks.
        settings: with the configurations of these networks.
    """

    vae: Weights
    scale: float | None
    denoiser: Weights
    settings: TrainSettings


def beginning(initial: str | None, settings: TrainSettings) -> Beginning:
    """Random weights, or those of a folder or of the package."""
    if initial is None:
        vae = random_weights(VAE(settings.codec.config), settings.codec.optimizer.seed)
        return Beginning(vae, None, first_weights(settings.denoiser), settings)
    networks = as_svd(load_networks(initial, "float32"))
    codec = replace(settings.codec, config=networks.vae_config)
    denoiser = replace(settings.denoiser, unet=networks.unet_config, image_encoder=networks.image_encoder_config)
    both = joined_weights(networks.unet, networks.image_encoder)
    vae, scale = dict(networks.vae), networks.vae_config.scaling_factor
    return Beginning(vae, scale, both, replace(settings, codec=codec, denoiser=denoiser))


def train_for_minutes(
    work: Path,
    exported: Path,
    minutes: float,
    initial: str | None,
    settings: TrainSettings,
    clock: Clock = time.monotonic,
) -> bool:
    """Train, or go on; whether it came to its end rather than being asked to stop.

    Args:
        work: a folder for checkpoints, loss curves and the latest weights.
        exported: the folder to write the weights to.
        minutes: all it may take, over all processes that go on with it.
        initial: weights to begin from, a folder or demo; their VAE is kept. None: random ones.
        settings: of everything.
        clock: any.
    """
    now = since(_used(work), clock)
    first = beginning(initial, settings)
    settings = first.settings
    own, total = settings.by_minutes, 60 * minutes
    codec_end = 0.0 if initial is not None else own.codec * total
    vae, denoiser, scale = first.vae, first.denoiser, first.scale
    with stop_when_asked() as stop:
        run = Run(own, now, stop)
        if initial is None:
            vae = _trained_codec(work, first, Span(0, codec_end), run)
        if stop.wanted:
            print(f"stopped while the VAE was trained: see {work / 'latest'}; the same command goes on", flush=True)
            return False
        scale = _latent_scale(work, vae, settings) if scale is None else scale
        stage = denoiser_stage(
            work / "denoiser", vae, scale, settings, Span(codec_end, (own.codec + own.denoiser) * total)
        )
        denoiser = train_within(stage, denoiser, run, lambda new: _write(work / "latest", vae, new, scale, settings))
        _write(exported, vae, denoiser, scale, settings)
    if not LossLog(work / "denoiser" / "losses.csv").seconds():
        print("the UNet made no step: give more minutes, and the same command goes on", flush=True)
    print(f"{exported}: written after {now():.0f} of {total:.0f} s", flush=True)
    if stop.wanted:
        print("stopped before the end; the same command goes on", flush=True)
    return not stop.wanted


def _trained_codec(work: Path, first: Beginning, span: Span, run: Run) -> Weights:
    """Train the VAE; once that is finished it is left alone, for the UNet depends on it."""
    finished = work / "codec" / "finished"
    stage = codec_stage(work / "codec", first.settings, Span(-1, 0) if finished.exists() else span)
    scale = first.settings.codec.config.scaling_factor
    vae = train_within(
        stage, first.vae, run, lambda new: _write(work / "latest", new, first.denoiser, scale, first.settings)
    )
    if not run.stop.wanted:
        finished.touch()
    return vae


def _latent_scale(work: Path, vae: Weights, settings: TrainSettings) -> float:
    """What latents are multiplied by, so that their standard deviation is 1; found once."""
    path = work / "latents.json"
    if not path.exists():
        numbers = jnp.arange(settings.by_minutes.together, dtype=jnp.int32)
        latents = jax.jit(encode_by_number(settings))(numbers, vae).latents
        with atomic_path(path) as partial:
            partial.write_text(json.dumps({"scaling_factor": float(1 / jnp.std(latents))}) + "\n", encoding="utf-8")
    return float(json.loads(path.read_text(encoding="utf-8"))["scaling_factor"])


def _write(folder: Path, vae: Weights, denoiser: Weights, scale: float, settings: TrainSettings) -> None:
    """Export all three networks."""
    config = replace(settings.codec.config, scaling_factor=scale)
    unet, image_encoder = split_weights(denoiser)
    own = settings.denoiser
    export(folder, SVDNetworks(own.unet, unet, config, vae, own.image_encoder, image_encoder))


def _used(work: Path) -> float:
    """Seconds that earlier processes took, as far as they wrote them down."""
    return max((LossLog(work / name / "losses.csv").seconds() for name in ("codec", "denoiser")), default=0.0)
