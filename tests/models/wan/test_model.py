"""A tiny Wan with random weights through the whole pipeline; `tests/models/test_contract.py` is the same of a toy."""

from dataclasses import replace
from typing import Any, get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

from nvs_jax.diffusion.estimates import Select
from nvs_jax.diffusion.guidance import DirectGuidance
from nvs_jax.diffusion.levels import make_sigmas
from nvs_jax.errors import InputError
from nvs_jax.geometry import intrinsics_matrix, nothing_known, orbit
from nvs_jax.models.contract import Lattice, VideoModel
from nvs_jax.models.networks import Weightless
from nvs_jax.models.wan.codec import WanCodec
from nvs_jax.models.wan.config import TransformerConfig, VAEConfig
from nvs_jax.models.wan.denoiser import WanDenoiser
from nvs_jax.models.wan.model import Wan
from nvs_jax.pipeline import Pipeline
from nvs_jax.settings import MemorySettings, RenderSettings, ScheduleSettings
from nvs_jax.steering.conditions import Conditions, from_video
from nvs_jax.windows import Window
from tests.models.wan.tiny import CONFIGS, FRAMES, Kind, configs_of, tiny_wan
from tests.tiny import HEIGHT, WIDTH, scene

STEPS = 3
K = intrinsics_matrix(20.0, HEIGHT, WIDTH)
PATH = orbit(6.0, 6.0, 2.0, FRAMES)
MODEL = tiny_wan()
PIPELINE = Pipeline(MODEL)


def settings(method="dgs") -> RenderSettings:
    given = MODEL.defaults
    schedule = ScheduleSettings(kind="list", levels=(30.0, 3.0, 0.3))
    return replace(given, schedule=schedule, guidance=replace(given.guidance, method=method, learning_rate=1.0))


def conditions() -> Conditions:
    photo, depth = scene()
    return from_video(np.stack([photo] * FRAMES), np.stack([depth] * FRAMES), K, PATH[0], PATH, settings())


def test_meets_the_contract():
    assert isinstance(MODEL, VideoModel)
    assert MODEL.lattice == Lattice(cell=4, cells=2, frame_step=4, channels=2, frames=81)
    published = Weightless({"transformer": TransformerConfig(), "vae": VAEConfig()})
    assert Wan(published).lattice.latent_shape(81, 480, 832) == (21, 60, 104, 16)


def test_defaults_are_the_models_own_noise_levels_and_size():
    levels = np.asarray(make_sigmas(MODEL.defaults.schedule))
    assert len(levels) == 51 and levels[0] == pytest.approx(2997) and levels[25] == pytest.approx(3.0)
    assert (MODEL.defaults.picture.max_pixels, MODEL.defaults.conditioning.fps) == (480 * 832, 16)
    of_2_2 = Wan(Weightless(CONFIGS | {"vae": replace(CONFIGS["vae"], is_residual=True)}))
    assert make_sigmas(of_2_2.defaults.schedule)[0] == pytest.approx(4995)
    assert (of_2_2.lattice.frames, of_2_2.defaults.conditioning.fps) == (121, 24)


@pytest.mark.parametrize("method", ["none", "dgs", "post"])
def test_a_photo_along_a_path(method):
    photo, depth = scene()
    made = PIPELINE.render(photo, depth=depth, path=PATH, intrinsics=K, settings=settings(method))
    assert made.frames.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert made.trust.shape == (STEPS, 3)
    assert np.isfinite(made.frames).all() and made.frames.std() > 0


def test_the_first_frame_is_the_photo_as_the_vae_makes_it_whatever_guides():
    photo, depth = scene()
    firsts = [
        PIPELINE.render(photo, depth=depth, path=PATH, intrinsics=K, settings=settings(method)).frames[0]
        for method in ("none", "dgs")
    ]
    codec = MODEL.codec()
    alone = jax.jit(lambda codec, photo: codec.decode(codec.encode(photo[None])[None])[0, 0])(codec, photo)
    for first in firsts:
        np.testing.assert_allclose(first, alone, atol=1e-4)


def test_a_latent_frame_is_a_hole_where_one_of_its_frames_is():
    hole = jnp.zeros((FRAMES, 8, 8), bool).at[3, :4, :4].set(True).at[8, 4:, 4:6].set(True).at[5, 0, 4].set(True)
    pooled = MODEL.codec().pool_mask(hole)
    expected = np.zeros((3, 2, 2), bool)
    expected[1, 0, 0] = expected[2, 1, 1] = True  # and not of frame 5: one pixel of sixteen
    np.testing.assert_array_equal(pooled, expected)


def test_a_latent_frame_is_as_far_as_its_farthest_frame():
    distances = jnp.array([0.0, 1, 5, 2, 3, 0, 0, 0, 0])
    np.testing.assert_array_equal(MODEL.codec().pool_frames(distances), [0, 5, 0])


def test_views_are_encoded_as_one_video_that_begins_with_the_photo():
    problem = PIPELINE.prepare(conditions(), jax.random.key(0))
    assert isinstance(problem.guidance, DirectGuidance)
    assert isinstance(problem.guidance.modulate, Select)
    target, hole = problem.guidance.modulate.target, problem.guidance.modulate.hole
    assert target.shape == (1, 3, HEIGHT // 4, WIDTH // 4, 2) == problem.noise.shape
    assert not hole[0, 0].any() and hole[0, 1:].any()
    alone = jax.jit(WanCodec.encode)(MODEL.codec(), jnp.asarray(scene()[0])[None])
    np.testing.assert_allclose(target[0, :1], alone, atol=1e-5)


def test_lengths_and_sizes_that_it_cannot_make_are_refused():
    photo, depth = scene()
    with pytest.raises(InputError, match=r"a video of 8 frames: .* 5 or 9"):
        PIPELINE.render(photo, depth=depth, path=orbit(6.0, 6.0, 2.0, 8), intrinsics=K)
    with pytest.raises(InputError, match="multiples of 8"):
        MODEL.lattice.check(9, 20, 32)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"in_channels": 36}, "36 channels on latents of 2: .* or 8 channels"),
        ({"vace_layers": (0, 1)}, "VACE's of 96 channels: beside this VAE it must have 20"),
        ({"image_dim": 8, "added_kv_proj_dim": 12}, "its image encoder is missing"),
        ({"patch_size": (1, 1, 2)}, "patches are 1x2 cells"),
    ],
)
def test_networks_that_do_not_fit_together_are_refused(changed, said):
    configs = CONFIGS | {"transformer": replace(CONFIGS["transformer"], **changed)}
    with pytest.raises(InputError, match=said):
        _ = Wan(Weightless(configs)).lattice


def test_an_image_encoder_of_another_width_is_refused():
    configs = configs_of("image")
    with pytest.raises(InputError, match="in tokens of 8 numbers: its image encoder makes some of 6"):
        _ = Wan(Weightless(configs | {"image_encoder": replace(configs["image_encoder"], hidden_size=6)})).lattice


@pytest.mark.parametrize("kind", ["vace", "image"])
def test_models_that_are_shown_more_follow_what_they_are_shown(kind):
    """Without guidance: what is shown is the only way from the warps, or the photo, to other frames."""
    pipeline = Pipeline(tiny_wan(kind))
    photo, depth = scene()
    given = replace(settings("none"), schedule=ScheduleSettings(kind="list", levels=(30.0, 3.0)))
    videos = [
        pipeline.render(shown, depth=depth, path=PATH, intrinsics=K, settings=given).frames
        for shown in (photo, 1 - photo)
    ]
    assert videos[0].shape == (FRAMES, HEIGHT, WIDTH, 3) and np.isfinite(videos).all()
    assert np.abs(videos[0][1:] - videos[1][1:]).max() > 1e-3


def test_vace_is_told_of_holes_and_what_is_known():
    denoiser = Pipeline(tiny_wan("vace")).prepare(conditions(), jax.random.key(0)).denoiser
    assert isinstance(denoiser, WanDenoiser) and denoiser.control is not None
    assert denoiser.control.shape == (1, 3, HEIGHT // 4, WIDTH // 4, 20)
    told = denoiser.window(Window(1, 2, 2, 4)).control
    np.testing.assert_array_equal(told, denoiser.control[:, :, 1:3, 2:6])
    mask = np.asarray(denoiser.control[0, ..., 4:])
    holes = conditions().holes[[1, 4, 7]]  # the frames nearest to the middle of each latent
    np.testing.assert_allclose(mask.mean((1, 2, 3)), holes.mean((1, 2)), atol=1e-6)


def test_soft_edges_are_as_soft_as_the_hardest_frame_of_a_group():
    codec, visible = MODEL.codec(), np.ones((FRAMES, 8, 8), np.float32)
    visible[2, :4, :4], visible[3, :4, :4] = 0.8, 0.95
    soft = np.asarray(codec.pool_visible(jnp.asarray(visible)))
    assert soft[1, 0, 0] == pytest.approx(0.5, abs=1e-5)
    assert soft.sum() == pytest.approx(soft.size - 0.5, abs=1e-4)


def test_tiles_are_refused():
    with pytest.raises(InputError, match=r"memory\.tile"):
        MODEL.told(replace(settings(), memory=MemorySettings(tile=(64, 64), tile_overlap=8)))


@pytest.mark.parametrize("kind", get_args(Kind))
def test_says_how_many_videos_it_encodes(kind, monkeypatch):
    model, lengths, encode = tiny_wan(kind), [], WanCodec.encode

    def counted(self: WanCodec, frames: Array) -> Array:
        lengths.append(len(frames))
        return encode(self, frames)

    monkeypatch.setattr(WanCodec, "encode", counted)
    height = HEIGHT + 8 * (1 + get_args(Kind).index(kind))  # for which nothing has been traced

    def encoded(picture: Array) -> Any:
        warp = nothing_known(FRAMES - 1, height, WIDTH)
        seen = model.look(picture, picture[None], warp)
        return model.encode_views(seen, picture, warp).target

    jax.eval_shape(encoded, jnp.zeros((height, WIDTH, 3)))
    assert lengths.count(FRAMES) == model.encodings == {"text": 1, "vace": 3, "image": 2}[kind]
