"""The whole training within some minutes, the last of which are for writing the weights.

At every checkpoint the weights so far are written to WORK/latest, in the layout of the end. A process that is killed
leaves that folder; one that is asked to stop writes the end's folder too. The same command goes on with the time that
is left.
"""

import json
import time
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp

from nvs_jax.disk import atomic_path
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.models.weights import Weights
from scripts.train.beginning import Beginning, beginning
from scripts.train.clock import Clock, Span, since, stop_when_asked
from scripts.train.codec import codec_stage, encode_by_number
from scripts.train.denoiser import denoiser_stage, split_weights
from scripts.train.export import export
from scripts.train.losses import LossLog
from scripts.train.settings import TrainSettings
from scripts.train.stage import Run
from scripts.train.within import train_within


def train_for_minutes(
    work: Path,
    exported: Path,
    minutes: float,
    initial: str | None,
    settings: TrainSettings,
    clock: Clock = time.monotonic,
    *,
    train_vae: bool = False,
) -> bool:
    """Train, or go on; whether it came to its end rather than being asked to stop.

    Args:
        work: a folder for checkpoints, loss curves and the latest weights.
        exported: the folder to write the weights to.
        minutes: all it may take, over all processes that go on with it.
        initial: weights to begin from, a folder or demo. None: random ones.
        settings: of everything.
        clock: any.
        train_vae: train the VAE of `initial` on; False: it is kept.
    """
    now = since(_used(work), clock)
    first = beginning(initial, settings, train_vae)
    settings = first.settings
    own, total = settings.by_minutes, 60 * minutes
    codec_end = 0.0 if first.scale is not None else own.codec * total
    vae, denoiser, scale = first.vae, first.denoiser, first.scale
    with stop_when_asked() as stop:
        run = Run(own, now, stop)
        if scale is None:
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
