"""A whole run on an embedded example: a procedural scene and a small model, nothing to download."""

import jax
import numpy as np

from nvs_jax.geometry import orbit
from nvs_jax.jobs import DemoJob
from nvs_jax.legs import photo_plan
from nvs_jax.media import plan_fit, write_picture
from nvs_jax.models.svd.config import ImageEncoderConfig, UNetConfig, VAEConfig
from nvs_jax.models.svd.image_encoder import ImageEncoder
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.models.svd.unet import UNetSpatioTemporal
from nvs_jax.models.svd.vae import VAE
from nvs_jax.models.weights import random_weights
from nvs_jax.pipeline import Pipeline
from nvs_jax.results import result_folder, sheet
from nvs_jax.runs import render_into
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render, render_path
from nvs_jax.settings import RenderSettings, ScheduleSettings
from nvs_jax.views import View

HEIGHT, WIDTH, FRAMES, STEP_DEGREES = 96, 128, 14, 1.5

UNET = UNetConfig(
    down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
    up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    block_out_channels=(64, 128),
    addition_time_embed_dim=32,
    projection_class_embeddings_input_dim=96,
    layers_per_block=(1, 1),
    cross_attention_dim=(32, 32),
    transformer_layers_per_block=((1,), (1,)),
    num_attention_heads=(2, 4),
    num_frames=FRAMES,
)
VAE_CONFIG = VAEConfig(
    down_block_types=("DownEncoderBlock2D",) * 3, block_out_channels=(32, 32, 64), layers_per_block=1
)
IMAGE_ENCODER = ImageEncoderConfig(
    hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4, image_size=56, projection_dim=32
)


def demo_model() -> SVD:
    """A small SVD with random weights: its pictures are noise wherever no view guides it."""
    return SVD(
        SVDNetworks(
            UNET,
            random_weights(UNetSpatioTemporal(UNET), 0),
            VAE_CONFIG,
            random_weights(VAE(VAE_CONFIG), 1),
            IMAGE_ENCODER,
            random_weights(ImageEncoder(IMAGE_ENCODER), 2),
        )
    )


def run_demo(job: DemoJob) -> None:
    """Render a procedural scene from one of its views, beside the truth.

    Raises:
        InputError: the folder holds something already.
    """
    scenes = SceneSettings()
    path = orbit(scenes.orbit_radius, scenes.orbit_radius, STEP_DEGREES, FRAMES)
    _, intrinsics = default_view(HEIGHT, WIDTH, scenes)
    scene = random_scene(job.seed, scenes)
    given = jax.tree.map(np.asarray, render(scene, path[0], intrinsics, HEIGHT, WIDTH, samples=3))
    truth = np.asarray(render_path(scene, path, intrinsics, HEIGHT, WIDTH, samples=3).picture)
    fit = plan_fit((HEIGHT, WIDTH), HEIGHT, WIDTH, "resize")
    view = View(given.picture, given.depth, np.asarray(intrinsics), fit, (HEIGHT, WIDTH))
    settings = RenderSettings(schedule=ScheduleSettings(steps=10))
    with result_folder(job.out, overwrite=job.overwrite) as folder:
        plan = photo_plan(view, path, settings)
        result = render_into(folder, Pipeline(demo_model()), plan, view, job.seed, settings, job)
        rows = {"warp": result.views, "result": result.frames, "truth": truth}
        write_picture(folder / "demo.png", sheet(rows))
    print(f"{job.out}/demo.png")
