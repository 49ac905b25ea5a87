"""Every mode from Python: the same frames as the command's, as they come, stopped and gone on with."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

import nvs_jax
from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.geometry import Sources, Warp, intrinsics_matrix
from nvs_jax.inputs.camera_path import camera_path
from nvs_jax.inputs.view import given_view
from nvs_jax.media import read_photo, write_frames
from nvs_jax.media.cameras import CameraSet, PosedCamera, write_transforms
from nvs_jax.media.photo import to_bytes
from nvs_jax.pipeline import Pipeline, override
from nvs_jax.runs.resume import open_run
from nvs_jax.runs.stopping import Stopped, StopRequest
from nvs_jax.settings import CameraSettings, Mode, PathSettings, RenderSettings, ScheduleSettings
from nvs_jax.steering.conditions import Conditions
from nvs_jax.steering.legs import Plan, photo_plan, turn_plan, video_plan, views_plan
from nvs_jax.steering.render import Render, join, part_of, warp_plan
from tests.tiny import FRAMES, HEIGHT, WIDTH, scene, tiny_pipeline, write_tiny_folder

PATH = PathSettings(radius=(6.0, 6.0), step_degrees=4.0)
AS_PATH = ("--path.radius", "6", "6", "--path.step-degrees", "4", "--camera.focal", "0.6", "--steps", "1")
ONE_STEP = RenderSettings(schedule=ScheduleSettings(steps=1), path=PATH, camera=CameraSettings(focal=0.6))
K = intrinsics_matrix(0.6 * WIDTH, HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_tiny_folder(tmp_path_factory.mktemp("svd"), frames=FRAMES)


@pytest.fixture(scope="module")
def pipeline(weights) -> Pipeline:
    return nvs_jax.load(weights, dtype="float32")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A clip of five frames with a square that moves, three posed views in nerfstudio's layout, their depth."""
    folder = tmp_path_factory.mktemp("files")
    photo, depth = scene()
    write_frames(folder / "clip", np.stack([np.roll(photo, 2 * index, axis=1) for index in range(5)]))
    (folder / "depth").mkdir()
    for index in range(5):
        np.save(folder / "depth" / f"{index:03d}.npy", depth)
    write_frames(folder / "scene" / "images", np.stack([photo] * 3))
    corner = np.array([[20.0, 0, WIDTH / 2], [0, 20.0, HEIGHT / 2], [0, 0, 1]])
    cameras = [
        PosedCamera(pose, corner, HEIGHT, WIDTH, folder / "scene" / "images" / f"{index:03d}.png")
        for index, pose in enumerate(poses())
    ]
    write_transforms(folder / "scene" / "transforms.json", CameraSet(tuple(cameras)))
    return folder


def poses() -> np.ndarray:
    moved = np.stack([np.eye(4)] * 3)
    moved[:, 0, 3] = [0.0, -0.5, -1.0]
    return moved


def clip(files: Path) -> tuple[np.ndarray, np.ndarray]:
    photos = np.stack([read_photo(path) for path in sorted((files / "clip").iterdir())])
    return photos, np.stack([scene()[1]] * len(photos))


def photo_of(files: Path, settings: RenderSettings) -> Plan:
    view = given_view(clip(files)[0][0], scene()[1], camera=settings.camera)
    return photo_plan(view, camera_path(settings.path, FRAMES), settings)


def video_of(files: Path, settings: RenderSettings) -> Plan:
    photos, depths = clip(files)
    return video_plan(photos, depths, K, camera_path(settings.path, len(photos)), FRAMES, settings)


def views_of(files: Path, settings: RenderSettings) -> Plan:
    pictures = jnp.asarray(np.stack([clip(files)[0][0]] * 3))
    depths = jnp.asarray(np.stack([scene()[1]] * 3))
    lenses = jnp.stack([intrinsics_matrix(20.0, HEIGHT, WIDTH)] * 3)
    return views_plan(Sources(pictures, depths, lenses, jnp.asarray(poses(), jnp.float32)), FRAMES, settings)


def turn_of(files: Path, settings: RenderSettings) -> Plan:
    view = given_view(clip(files)[0][0], scene()[1], camera=settings.camera)
    return turn_plan(view, settings.path.radius, FRAMES, settings)


MODES: dict[str, tuple[Callable[[Path, RenderSettings], Plan], tuple[str, ...], int]] = {
    "photo": (photo_of, ("single", "clip/000.png", "--depth", "depth/000.npy", "--depth-kind", "depth"), 1),
    "video": (video_of, ("video", "clip", "--depth", "depth", "--depth-kind", "depth"), 2),
    "views": (views_of, ("views", "scene", "--depth", "depth"), 2),
    "turn": (
        turn_of,
        ("single", "clip/000.png", "--depth", "depth/000.npy", "--depth-kind", "depth", "--path.kind", "full-turn"),
        7,
    ),
}
"""How a plan is made of the files, the command that does the same, and how many legs it has."""


@pytest.mark.parametrize("mode", MODES)
def test_python_and_the_command_give_the_same_frames(mode, files, weights, pipeline, tmp_path, monkeypatch):
    make, arguments, legs = MODES[mode]
    monkeypatch.chdir(files)
    main([*arguments, "--weights", str(weights), "--out", str(tmp_path / "out"), *AS_PATH])
    settings = override(replace(pipeline.settings, path=PATH, camera=CameraSettings(focal=0.6)), steps=1)
    plan = make(files, settings)
    assert len(plan.legs) == legs
    render = pipeline.render_plan(plan)
    for name, ours in (("frames", render.frames), ("warps", render.warped)):
        theirs = [read_photo(path) for path in sorted((tmp_path / "out" / name).iterdir())]
        np.testing.assert_array_equal(to_bytes(ours), to_bytes(np.stack(theirs)))
    assert render.trust.shape == (1, len(render.frames))
    np.testing.assert_array_equal(render.trust[:, 0], 1)


def test_frames_come_leg_by_leg(files, pipeline):
    plan, stages = video_of(files, ONE_STEP), []
    parts = pipeline.render_legs(plan, report=lambda stage, *_: stages.append(stage))
    first = next(parts)
    assert stages == ["warp", "encode", "sample", "decode"]  # the second leg has not begun
    second = next(parts)
    assert [part.numbers.tolist() for part in (first, second)] == [[0, 1, 2, 3], [4]]
    whole = pipeline.render_plan(plan)
    np.testing.assert_array_equal(np.concatenate([first.frames, second.frames]), whole.frames)
    np.testing.assert_array_equal(second.render.conditions.picture, first.frames[-1])
    with pytest.raises(StopIteration):
        next(parts)


class StopAfter(StopRequest):
    """Wants to stop after so many states."""

    def __init__(self, states: int):
        super().__init__()
        self.left = states

    def obey(self, where: str) -> None:
        self.left -= 1
        self.wanted = self.left == 0
        super().obey(where)


def test_a_video_stopped_in_its_second_leg_goes_on_to_the_same_bits(files, pipeline, tmp_path):
    plan = video_of(files, override(ONE_STEP, steps=2))
    with (
        pytest.raises(Stopped, match="after step 1 of leg 2 of 2"),
        open_run(tmp_path / "out", {"seed": 3}, resume=False, overwrite=False, stop=StopAfter(3)) as run,
    ):
        pipeline.render_plan(plan, 3, run=run)
    told = []
    with open_run(tmp_path / "out", {"seed": 3}, resume=True, overwrite=False, stop=StopRequest()) as run:
        render = pipeline.render_plan(plan, 3, report=lambda *what: told.append(what), run=run)
        (run.result / "run.json").write_text("{}")
    sampled = [what for what in told if what[0] == "sample"]
    assert sampled == [("sample", 2, 2), ("sample", 1, 2), ("sample", 2, 2)]  # one step is made
    np.testing.assert_array_equal(render.frames, pipeline.render_plan(plan, 3).frames)


def test_what_a_report_raises_ends_the_work(files, pipeline):
    def stop(stage: str, *_: int) -> None:
        if stage == "sample":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.render_plan(photo_of(files, ONE_STEP), report=stop)


@pytest.mark.parametrize("mode", ["photo", "views"])
def test_a_preview_has_the_warps_of_the_render(mode, files, pipeline):
    plan = MODES[mode][0](files, ONE_STEP)
    preview, render = warp_plan(plan), pipeline.render_plan(plan)
    np.testing.assert_array_equal(preview.warped, render.warped)
    np.testing.assert_array_equal(preview.holes, render.holes)
    assert render.holes.any()


def test_a_preview_of_a_video_goes_on_with_the_last_warp(files):
    plan = video_of(files, ONE_STEP)
    preview = warp_plan(plan)
    alone = plan.legs[0]([])
    np.testing.assert_array_equal(preview.warped[:FRAMES], alone.warped)
    np.testing.assert_array_equal(preview.warped[FRAMES:], plan.legs[1]([alone.warped]).warped[1:2])


def test_render_zooms_along_a_dolly_zoom(files):
    path = PathSettings("dolly-zoom", frames=FRAMES, travel=3.0, radius=(6.0, 6.0))
    settings, (photo, depth) = replace(ONE_STEP, path=path), scene()
    along = {"depth": depth, "path": camera_path(path, FRAMES)}
    zoomed = tiny_pipeline().render(photo, **along, settings=settings)
    expected = warp_plan(photo_plan(given_view(photo, depth, camera=settings.camera), along["path"], settings))
    np.testing.assert_array_equal(zoomed.warped, expected.warped)
    still = warp_plan(photo_plan(given_view(photo, depth, K), along["path"], ONE_STEP))
    assert np.abs(zoomed.warped[-1] - still.warped[-1]).max() > 0.1
    with pytest.raises(InputError, match=r"path\.frames is 4 and the path has 3 poses"):
        tiny_pipeline().render(photo, depth=depth, path=along["path"][:3], settings=settings)


def test_a_photo_without_colours_is_refused():
    with pytest.raises(InputError, match="the photo is 24x32"):
        given_view(scene()[0][..., 0], scene()[1])


def leg_of(number: int, frames: int, mode: Mode) -> Render:
    """A leg whose every value says where it is from: 10 * leg + frame."""
    values = 10.0 * number + np.arange(frames, dtype=np.float32)
    pictures = np.broadcast_to(values[:, None, None, None], (frames, 2, 2, 3))
    hole = np.broadcast_to((np.arange(1, frames) == frames - 1)[:, None, None], (frames - 1, 2, 2))
    warp = Warp(jnp.asarray(pictures[1:]), jnp.asarray(~hole), jnp.asarray(hole))
    return Render(pictures + 0.5, Conditions(pictures[0], warp, jnp.asarray(values), mode), values[None], np.ones(1))


def test_legs_are_joined_in_the_order_of_the_video():
    legs = [leg_of(0, 3, "single"), leg_of(1, 3, "single"), leg_of(2, 3, "views")]
    order = np.array([[0, 0], [0, 1], [0, 2], [2, 1], [1, 0], [1, 2]])
    plan = Plan((), order, jnp.zeros((6, 4, 4)), jnp.zeros((6, 3, 3)), RenderSettings())
    plan = plan._replace(legs=(lambda _: legs[0].conditions,) * 3)
    render = join(plan, (part_of(plan, index, leg) for index, leg in enumerate(legs)))
    expected = np.array([0, 1, 2, 21, 10, 12])
    np.testing.assert_array_equal(render.frames[:, 0, 0, 0], expected + 0.5)
    np.testing.assert_array_equal(render.trust, [expected])
    np.testing.assert_array_equal(render.conditions.distance, expected)
    np.testing.assert_array_equal(render.conditions.picture, legs[0].conditions.picture)
    np.testing.assert_array_equal(render.conditions.warp.pictures[:, 0, 0, 0], expected[1:])
    np.testing.assert_array_equal(render.holes[:, 0, 0], [False, False, True, False, False, True])
    np.testing.assert_array_equal(render.conditions.warp.valid, ~render.holes[1:])
    np.testing.assert_array_equal(render.warped[:, 0, 0, 0], [0, 1, 0, 21, 10, 0])
    assert render.conditions.mode == "single"


def test_a_latent_of_several_frames_is_trusted_alike_in_all_of_them():
    """Five frames a leg of two latents, as a causal codec has them: the first frame has one of its own."""
    legs = [replace(leg_of(number, 5, "video"), trust=np.array([[1.0, number + 0.5]])) for number in (0, 1)]
    order = np.array([[0, 0], [0, 1], [0, 2], [0, 3], [0, 4], [1, 1], [1, 4]])
    plan = Plan((lambda _: legs[0].conditions,) * 2, order, jnp.zeros((7, 4, 4)), jnp.zeros((7, 3, 3)), ONE_STEP)
    render = join(plan, (part_of(plan, index, leg) for index, leg in enumerate(legs)))
    np.testing.assert_array_equal(render.trust, [[1, 0.5, 0.5, 0.5, 0.5, 1.5, 1.5]])
