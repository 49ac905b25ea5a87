"""A model of another family, whose codec has a temporal stride, through the whole pipeline."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from nvs_jax.checkpoint import write_checkpoint
from nvs_jax.cli import main, parse
from nvs_jax.commands import benchmark, render
from nvs_jax.commands.beforehand import suit_model
from nvs_jax.diffusion.estimates import Select
from nvs_jax.diffusion.guidance import DirectGuidance
from nvs_jax.errors import InputError
from nvs_jax.geometry import Sources, intrinsics_matrix, orbit
from nvs_jax.media import write_frames
from nvs_jax.models.contract import Lattice, VideoModel
from nvs_jax.models.families import FAMILIES, family
from nvs_jax.models.networks import Weightless
from nvs_jax.pipeline import Pipeline
from nvs_jax.planning.programs import Model
from nvs_jax.planning.request import Request
from nvs_jax.settings import RenderSettings, ScheduleSettings, presets
from nvs_jax.settings.jobs import RenderJob, SingleJob
from nvs_jax.settings.presets import load_settings
from nvs_jax.settings.render import family_groups, ignored_by
from nvs_jax.steering.conditions import from_video, from_views
from nvs_jax.steering.legs import video_plan
from tests.models.toy_video import FAMILY, Settings, ToyVideo
from tests.tiny import HEIGHT, WIDTH, scene, tiny_pipeline

FRAMES = 9
K = intrinsics_matrix(20.0, HEIGHT, WIDTH)
PATH = orbit(6.0, 6.0, 2.0, FRAMES)
MODEL = ToyVideo()


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(MODEL)


def guided_by(method) -> RenderSettings:
    settings = MODEL.defaults
    return replace(settings, guidance=replace(settings.guidance, method=method, learning_rate=1.0))


def error_outside_holes(frames, conditions) -> float:
    seen = ~np.asarray(conditions.warp.hole)
    return float(np.abs(frames[1:] - np.asarray(conditions.warp.pictures))[seen].mean())


def smooth_scene():
    """Of which averages of two by two pixels keep most."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    picture = np.stack([np.sin(columns / 3), np.cos(rows / 4), np.sin((rows + columns) / 5)], -1) / 2 + 0.5
    return picture.astype(np.float32), scene()[1]


def test_meets_the_contract():
    assert isinstance(MODEL, VideoModel)
    assert isinstance(tiny_pipeline().model, VideoModel)
    assert family().lattice == Lattice(cell=8, cells=8, frame_step=1, channels=4, frames=25)


def test_families_with_settings_of_their_own_are_in_both_tables_under_one_name():
    assert family_groups(RenderSettings()).keys() <= FAMILIES.keys()
    assert [family(name).model(Weightless(family(name).configs)).family for name in FAMILIES] == [*FAMILIES]
    assert [family(name).name for name in FAMILIES] == [*FAMILIES]


def test_takes_the_settings_that_suit_it(pipeline):
    assert pipeline.settings == MODEL.defaults
    assert Pipeline(MODEL, settings=RenderSettings()).settings == RenderSettings()


@pytest.mark.parametrize("method", ["none", "dgs", "post"])
def test_a_photo_along_a_path(pipeline, method):
    photo, depth = smooth_scene()
    made = pipeline.render(photo, depth=depth, path=PATH, intrinsics=K, settings=guided_by(method))
    assert made.frames.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert made.trust.shape == (6, 3)
    assert np.isfinite(made.frames).all()
    if method != "none":
        free = pipeline.render(photo, depth=depth, path=PATH, intrinsics=K, settings=guided_by("none"))
        assert error_outside_holes(made.frames, made.conditions) < 0.8 * error_outside_holes(
            free.frames, made.conditions
        )


def test_a_latent_frame_is_a_hole_where_one_of_its_frames_is():
    photo, depth = scene()
    problem = Pipeline(MODEL).prepare(_photo_conditions(photo, depth), jax.random.key(0))
    assert isinstance(problem.guidance, DirectGuidance)
    assert isinstance(problem.guidance.modulate, Select)
    assert problem.noise.shape == (1, 3, HEIGHT // 2, WIDTH // 2, 3)
    assert not problem.guidance.modulate.hole[0, 0].any()
    assert problem.guidance.modulate.hole[0, 1:].any()


def test_two_views(pipeline):
    photo, depth = scene()
    ends = PATH[jnp.array([0, -1])]
    sources = Sources(jnp.stack([photo] * 2), jnp.stack([depth] * 2), jnp.stack([K] * 2), ends)
    made = pipeline.render_conditions(from_views(sources, PATH, guided_by("dgs")))
    assert made.frames.shape == (FRAMES, HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(made.trust[:, -1], made.trust[:, -1].clip(0, 1))


def test_a_video_of_two_legs(pipeline):
    photo, depth = scene()
    length = 2 * FRAMES - 1
    path = orbit(6.0, 6.0, 1.0, length)
    plan = video_plan(np.stack([photo] * length), np.stack([depth] * length), K, path, FRAMES, guided_by("dgs"))
    rendered: list[np.ndarray] = []
    for leg in plan.legs:
        rendered.append(pipeline.render_conditions(leg(rendered), settings=guided_by("dgs")).frames)
    assert [len(frames) for frames in rendered] == [FRAMES, FRAMES]
    assert len(plan.order) == length


def test_a_row_makes_it_a_family_whose_checkpoints_are_loaded_and_planned(tmp_path, monkeypatch):
    monkeypatch.setitem(FAMILIES, "toy", "tests.models.toy_video")
    weights = {"brighter": jnp.full(3, 0.25)}
    write_checkpoint(tmp_path / "toy", FAMILY, FAMILY.configs, lambda component: weights.items())
    whole, one_at_a_time = (nvs_jax.load(tmp_path / "toy", low_memory=low) for low in (False, True))
    assert whole.settings == MODEL.defaults
    photo, depth = smooth_scene()
    frames = [
        pipe.render(photo / 2, depth=depth, path=PATH, intrinsics=K, settings=guided_by("none")).frames
        for pipe in (whole, one_at_a_time, Pipeline(MODEL))
    ]
    np.testing.assert_array_equal(frames[0], frames[1])
    np.testing.assert_allclose((frames[0] - frames[2]).mean(), 0.25, atol=0.01)
    assert Model("toy").parameters("network") == 3
    assert Model("toy").told(Request(9, 64, 64)).lattice == MODEL.lattice


def settings_of(arguments: list[str]) -> Settings:
    job = parse(arguments)
    assert isinstance(job, RenderJob)
    assert isinstance(job.settings, Settings)
    return job.settings


def test_what_a_family_alone_is_told_arrives(monkeypatch, tmp_path):
    """From a file of settings, from an option, and in the denoiser; for others it is a setting that they ignore."""
    monkeypatch.setattr(presets, "RenderSettings", Settings)
    (tmp_path / "dark.yaml").write_text("toy: {exposure: 0.5}")
    given = ["single", "photo.png", "--out", "out", "--preset", str(tmp_path / "dark.yaml")]
    halved, doubled = (settings_of([*given, *more]) for more in ([], ["--toy.exposure", "2"]))
    assert (halved.toy.exposure, doubled.toy.exposure) == (0.5, 2.0)
    model = ToyVideo(Weightless(FAMILY.configs, {"network": {"brighter": jnp.full(3, 0.25)}}))
    seen = jnp.zeros((4, 4, 3))
    means = [model.told(settings).denoiser(seen, FRAMES).mean for settings in (RenderSettings(), halved, doubled)]
    assert [float(mean.max()) for mean in means] == [0.25, 0.125, 0.5]
    assert ignored_by("toy", halved) == ()
    assert ignored_by("svd", halved) == ("toy.exposure",)


def test_the_command_says_which_settings_these_weights_do_not_take(tmp_path, monkeypatch, capsys):
    """Before it reads what they would have been rendered from."""
    monkeypatch.setitem(FAMILIES, "toy", "tests.models.toy_video")
    monkeypatch.setattr(render, "make_plan", Mock(side_effect=InputError("enough")))
    write_checkpoint(tmp_path / "toy", FAMILY, FAMILY.configs, lambda component: {"brighter": jnp.zeros(3)}.items())
    given = ("--svd.motion-bucket", "30", "--svd.mixed-context", "--conditioning.fps", "8")
    with pytest.raises(SystemExit):
        main(["single", "photo.png", "--weights", str(tmp_path / "toy"), "--out", str(tmp_path / "out"), *given])
    lines = capsys.readouterr().err.splitlines()
    assert "svd.motion_bucket, svd.mixed_context are ignored: these weights are of the family toy" in lines
    names = "schedule.steps, schedule.sigma_max, path.radius, path.step_degrees"
    assert f"{names} are as they suit the family toy; --preset fast leaves that out" in lines


def test_a_job_is_rendered_as_it_suits_the_model_unless_it_says_otherwise(tmp_path):
    asked = RenderSettings(schedule=ScheduleSettings(sigma_max=20.0))
    job = SingleJob(photo=tmp_path, out=tmp_path, weights=str(tmp_path), settings=asked, steps=25)
    suited = suit_model(job, asked, MODEL)
    assert (suited.schedule.sigma_max, suited.schedule.steps, suited.path) == (20.0, 25, MODEL.defaults.path)
    assert suit_model(replace(job, preset="fast"), asked, MODEL) == asked
    assert suit_model(job, asked, tiny_pipeline().model) == asked
    assert suit_model(replace(job, preset="best"), asked, MODEL) == suited
    (tmp_path / "preset.yaml").write_text("{}")
    for preset in (None, "best"):
        assert suit_model(replace(job, preset=preset), asked, MODEL) == asked


def test_a_benchmark_is_measured_as_it_suits_the_model(tmp_path, monkeypatch):
    monkeypatch.setitem(FAMILIES, "toy", "tests.models.toy_video")
    weights, videos = str(tmp_path / "toy"), tmp_path / "davis" / "JPEGImages" / "480p" / "clip"
    write_checkpoint(Path(weights), FAMILY, FAMILY.configs, lambda component: {"brighter": jnp.zeros(3)}.items())
    write_frames(videos, np.stack([scene()[0]] * FRAMES))
    monkeypatch.setattr(benchmark, "_measure", measured := Mock(side_effect=InputError("enough")))
    given = ("davis", "--data", str(tmp_path / "davis"), "--subset", "all", "--out", str(tmp_path / "out"))
    for preset, expected in ((), MODEL.defaults), (("--preset", "fast"), load_settings("fast")):
        with pytest.raises(SystemExit):
            main(["benchmark", *given, "--weights", weights, *preset])
        assert measured.call_args.args[0].job.settings.schedule == expected.schedule


def test_what_suits_svd_is_the_preset_fast():
    assert tiny_pipeline().model.defaults == load_settings("fast")


@pytest.mark.parametrize(("frames", "said"), [(8, "5 or 9"), (3, "such as 5")])
def test_a_length_the_codec_cannot_make_is_refused(pipeline, frames, said):
    photo, depth = scene()
    with pytest.raises(InputError, match=said):
        pipeline.render(photo, depth=depth, path=orbit(6.0, 6.0, 2.0, frames), intrinsics=K)


def test_lambda_is_of_the_model_and_not_of_the_schedule(pipeline):
    conditions = _photo_conditions(*scene())
    settings = guided_by("dgs")
    shorter = replace(settings, schedule=replace(settings.schedule, sigma_max=20.0))
    long, short = (pipeline.prepare(conditions, jax.random.key(0), each).trust for each in (settings, shorter))
    np.testing.assert_array_equal(long(jnp.float32(3.0)), short(jnp.float32(3.0)))


def _photo_conditions(photo, depth):
    return from_video(np.stack([photo] * FRAMES), np.stack([depth] * FRAMES), K, PATH[0], PATH, MODEL.defaults)
