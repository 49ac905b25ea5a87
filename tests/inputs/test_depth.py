"""Depth that nobody handed in: estimated, and brought into scene units."""

import json
from dataclasses import replace
from itertools import count
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.evaluation.trajectories import centres
from nvs_jax.geometry import orbit
from nvs_jax.inputs.depth import depth_source
from nvs_jax.inputs.posed_views import read_sources
from nvs_jax.inputs.understood import Origin, inputs_line
from nvs_jax.inputs.video import read_video
from nvs_jax.inputs.view import DepthFile, EstimatedDepth, read_view
from nvs_jax.media import read_frames, write_picture
from nvs_jax.media.cameras import CameraSet, PosedCamera, read_pose_file
from nvs_jax.media.cameras.colmap import write_colmap
from nvs_jax.media.cameras.views import Observations
from nvs_jax.scenes import default_view, random_scene, render
from nvs_jax.settings import DepthKind
from nvs_jax.settings.jobs import AUTO, SingleJob
from nvs_jax.settings.presets import load_settings
from tests.commands.test_depth import write_small

HEIGHT, WIDTH = 64, 128
SCALES, SHIFTS = (2.0, 0.7, 1.3), (0.1, 0.4, 0.2)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_small(tmp_path_factory.mktemp("weights") / "relative")


def photo(height: int = 70, width: int = 130) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8) / np.float32(255)


def estimated(maps, kind: DepthKind = "disparity") -> EstimatedDepth:
    """Gives one map after the other, whatever the pictures."""
    number = count()
    return EstimatedDepth(lambda pictures: np.asarray(maps[next(number)], np.float32)[None], kind)


def test_a_photo_is_enough(tmp_path, weights, capsys):
    write_picture(tmp_path / "photo.png", photo())
    options = ("--depth-weights", str(weights), "--path.frames", "3", "--out", str(tmp_path / "out"))
    main(["warp", str(tmp_path / "photo.png"), *options])
    assert f"depth is estimated by {weights}, as disparity" in capsys.readouterr().err
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["depth_kind"] == "disparity"
    assert (record["job"]["depth"], record["job"]["depth_weights"]) == ("auto", str(weights))


@pytest.mark.parametrize(
    ("name", "kind", "png_scale", "steps", "said"),
    [
        ("d.png", "depth", None, 1000, "d.png is read as depth, a .png of 1000 steps a unit"),
        ("d.png", "depth", 5000.0, 5000, "d.png is read as depth, a .png of 5000 steps a unit"),
        ("d.png", "disparity", 5000.0, 5000, "d.png is read as disparity; --png-scale is for a .png of depth"),
        ("d.npy", "depth", 5000.0, 5000, "d.npy is read as depth; --png-scale is for a .png of depth"),
        ("d.npy", "depth", None, 1000, "d.npy is read as depth"),
    ],
)
def test_what_a_file_is_taken_for_is_said(capsys, name, kind, png_scale, steps, said):
    job = SingleJob(photo=Path("p.png"), out=Path("out"), depth=Path(name), depth_kind=kind, png_scale=png_scale)
    assert depth_source(job.depth, job) == DepthFile(Path(name), kind, float(steps))
    assert capsys.readouterr().err == f"{said}\n"


MISTAKES = {
    "weights that are not there": (["--depth-weights", "no/such/folder"], "no/such/folder does not exist"),
    "a file of no kind": (["--depth", "d.npy"], "say what d.npy holds: --depth-kind depth"),
    "an impossible ratio": (["--camera.disparity.max-ratio", "1"], "camera.disparity.max_ratio must be more than 1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(tmp_path, capsys, mistake):
    options, message = MISTAKES[mistake]
    write_picture(tmp_path / "photo.png", photo())
    with pytest.raises(SystemExit) as stop:
        main(["warp", str(tmp_path / "photo.png"), *options, "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert f"nvs-jax: error: {message}" in said and said.count("\n") == 1


def test_metric_depth_is_scaled_to_the_path(tmp_path):
    (tmp_path / "frames").mkdir()
    write_picture(tmp_path / "frames" / "0.png", photo(HEIGHT, WIDTH))
    maps = np.full((1, HEIGHT, WIDTH), 3.0)
    _, depths, view = read_video(tmp_path / "frames", estimated(maps, "depth"), load_settings("fast"), 64)
    np.testing.assert_allclose(depths, 70)
    assert view.depth_kind == "depth"


def test_metres_are_kept_where_they_are_asked_for(tmp_path):
    (tmp_path / "frames").mkdir()
    write_picture(tmp_path / "frames" / "0.png", photo(HEIGHT, WIDTH))
    settings = load_settings("fast", "video", {"camera": {"keep_units": True}})
    maps = np.full((1, HEIGHT, WIDTH), 3.0)
    _, depths, view = read_video(tmp_path / "frames", estimated(maps, "depth"), settings, 64)
    np.testing.assert_array_equal(depths, 3)
    assert "estimated depth, kept in metres, 3 to 3, 3 in the middle" in inputs_line(view, settings, Origin("video"))


def test_disparity_has_no_metres_to_keep(tmp_path, weights):
    settings = load_settings("fast", "single", {"camera": {"keep_units": True}})
    job = SingleJob(photo=tmp_path / "photo.png", out=tmp_path / "out", depth_weights=str(weights), settings=settings)
    with pytest.raises(InputError, match=r"--camera.keep-units keeps metres, and .* estimates disparity"):
        depth_source(AUTO, job)
    with pytest.raises(InputError, match=r"keeps metres, and .*d.npy holds disparity, which has no unit"):
        depth_source(tmp_path / "d.npy", replace(job, depth_kind="disparity"))
    assert depth_source(tmp_path / "d.npy", replace(job, depth_kind="depth")).kind == "depth"


def test_one_metre_to_the_left(tmp_path, capsys):
    """With a file of metres; what will be seen is said beforehand."""
    write_picture(tmp_path / "a.png", photo(HEIGHT, WIDTH))
    depth = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    depth[8:24, 16:40] = 1.5
    np.save(tmp_path / "a.npy", depth)
    files = (str(tmp_path / "a.png"), "--depth", str(tmp_path / "a.npy"), "--depth-kind", "depth")
    line = ("--path.kind", "line", "--path.start", "3", "--path.end", "3", "0", "-1", "--path.frames", "3")
    main(["warp", *files, *line, "--camera.keep-units", "--camera.fov", "60", "--out", str(tmp_path / "out")])
    poses = read_pose_file(tmp_path / "out" / "poses.json").poses
    moved = centres(poses)[-1] - centres(poses)[0]
    np.testing.assert_allclose(poses[0, :3, :3] @ moved, [-1, 0, 0], atol=1e-6)
    holes = read_frames(tmp_path / "out" / "holes")[-1, ..., 0].mean()
    said = capsys.readouterr().err
    assert "depth in scene units, 1.5 to 3, 3 in the middle" in said
    assert f"holes, which the model fills: {holes:.0%} of the last frame" in said and "the path is about" not in said


def test_the_releases_mapping_takes_an_estimate_as_8_bits(tmp_path):
    (tmp_path / "frames").mkdir()
    write_picture(tmp_path / "frames" / "0.png", photo(HEIGHT, WIDTH))
    maps = np.linspace(2, 6, HEIGHT * WIDTH).reshape(1, HEIGHT, WIDTH)
    settings = load_settings("reference", changes={"picture": {"size": None}})
    _, depths, _ = read_video(tmp_path / "frames", estimated(maps), settings, 64)
    np.testing.assert_allclose([depths.max(), depths.min()], [500, 10000 / 255], rtol=1e-5)


def test_frames_of_a_video_are_brought_together(tmp_path):
    (tmp_path / "frames").mkdir()
    scene, (pose, intrinsics) = random_scene(0), default_view(HEIGHT, WIDTH)
    views = [render(scene, pose, intrinsics, HEIGHT, WIDTH) for _ in SCALES]
    for index, view in enumerate(views):
        write_picture(tmp_path / "frames" / f"{index}.png", np.asarray(view.picture))
    maps = [a / view.depth + b for a, b, view in zip(SCALES, SHIFTS, views, strict=True)]
    _, depths, _ = read_video(tmp_path / "frames", estimated(maps), load_settings("fast"), 64)
    np.testing.assert_allclose(depths[1:], np.stack([depths[0]] * 2), rtol=0.01)


def write_scene(folder: Path, points: int) -> list[np.ndarray]:
    """A COLMAP model of a procedural scene with points on what its first camera sees; also the depth of each view."""
    scene, (_, intrinsics) = random_scene(1), default_view(HEIGHT, WIDTH)
    corner = np.asarray(intrinsics, np.float64) + np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    cameras, depths, found = [], [], []
    draw = np.random.default_rng(0)
    for index, pose in enumerate(np.asarray(orbit(4.0, 4.0, 10.0, 2), np.float64)):
        view = render(scene, jnp.asarray(pose, jnp.float32), intrinsics, HEIGHT, WIDTH)
        (folder / "images").mkdir(parents=True, exist_ok=True)
        path = folder / "images" / f"{index}.png"
        write_picture(path, np.asarray(view.picture))
        cameras.append(PosedCamera(pose, corner, HEIGHT, WIDTH, path))
        depths.append(np.asarray(view.depth))
        at = draw.integers(0, [WIDTH, HEIGHT], (points, 2))
        rays = np.column_stack([at, np.ones(points)]) @ np.linalg.inv(np.asarray(intrinsics, np.float64)).T
        seen = rays * depths[-1][at[:, 1], at[:, 0]][:, None] - pose[:3, 3]
        found.append((at + 0.5, seen @ pose[:3, :3]))
    where = tuple(
        Observations(xy.astype(np.float64), np.arange(points) + points * index) for index, (xy, _) in enumerate(found)
    )
    world = np.concatenate([xyz for _, xyz in found])
    write_colmap(folder / "sparse" / "0", CameraSet(tuple(cameras), world, None, where), folder / "images")
    return depths


def test_posed_views_get_the_units_of_their_points(tmp_path):
    true = write_scene(tmp_path, 60)
    maps = [a / depth + b for a, b, depth in zip(SCALES, SHIFTS, true, strict=False)]
    sources, view = read_sources(tmp_path, (), estimated(maps), load_settings("fast", "views"), 64)
    for found, depth in zip(np.asarray(sources.depths), true, strict=True):
        near = depth < 0.99 * found.max()
        assert np.abs(found / depth - 1)[near].max() < 0.01
    assert view.depth_kind == "disparity"


def test_views_of_few_points_are_refused(tmp_path):
    true = write_scene(tmp_path, 9)
    with pytest.raises(InputError, match=r"0.png shows 9 points of the scene; 16 are needed"):
        read_sources(tmp_path, (), estimated(true), load_settings("fast", "views"), 64)
    (tmp_path / "transforms.json").write_text(
        json.dumps(
            {
                **{"w": WIDTH, "h": HEIGHT, "fl_x": 100, "fl_y": 100, "cx": 64, "cy": 32},
                "frames": [{"file_path": f"images/{i}.png", "transform_matrix": np.eye(4).tolist()} for i in range(2)],
            }
        )
    )
    with pytest.raises(InputError, match="comes without depth, and the scene without points"):
        read_sources(tmp_path, (), estimated(true), load_settings("fast", "views"), 64)


def test_maps_of_photos_without_poses_get_the_units_of_the_points_found(tmp_path, capsys):
    """Nobody can know the unit of cameras that were only just found; what is unknown stays so."""
    true = write_scene(tmp_path, 60)
    (tmp_path / "maps").mkdir()
    for index, depth in enumerate(true):
        metres = (2.5 + index) * depth
        metres[:, :4] = 0
        np.save(tmp_path / "maps" / f"{index}.npy", metres)
    files, settings = DepthFile(tmp_path / "maps", "depth"), load_settings("fast", "views")
    sources, _ = read_sources(tmp_path, (), files, settings, 64, own_units=False)
    assert "maps of depth are scaled to the points found" in capsys.readouterr().err
    for found, depth in zip(np.asarray(sources.depths), true, strict=True):
        assert np.isinf(found[:, :4]).all()
        np.testing.assert_allclose(found[:, 4:], depth[:, 4:], rtol=0.01)
    sources, _ = read_sources(tmp_path, (), files, settings, 64)
    np.testing.assert_allclose(np.asarray(sources.depths)[1, :, 4:], 3.5 * true[1][:, 4:], rtol=1e-5)
    np.save(tmp_path / "maps" / "0.npy", np.zeros((HEIGHT, WIDTH)) + np.eye(HEIGHT, WIDTH))
    with pytest.raises(InputError, match=r"0.png shows \d+ points of the scene; 16 are needed to fit its depth to"):
        read_sources(tmp_path, (), files, settings, 64, own_units=False)


def test_small_maps_are_resampled_and_that_is_said(tmp_path):
    write_picture(tmp_path / "a.png", photo(HEIGHT, WIDTH))
    np.save(tmp_path / "a.npy", np.full((HEIGHT // 2, WIDTH // 2), 3.0, np.float32))
    view = read_view(tmp_path / "a.png", DepthFile(tmp_path / "a.npy", "depth"), load_settings("fast"), 64)
    assert view.depth_size == (HEIGHT // 2, WIDTH // 2) and view.depth.shape == (HEIGHT, WIDTH)
    line = inputs_line(view, load_settings("fast"), Origin("single"))
    assert f"3 in the middle, resampled from maps of {HEIGHT // 2}x{WIDTH // 2} (height x width);" in line
    np.save(tmp_path / "a.npy", np.full((HEIGHT, WIDTH), 3.0, np.float32))
    view = read_view(tmp_path / "a.png", DepthFile(tmp_path / "a.npy", "depth"), load_settings("fast"), 64)
    assert "resampled" not in inputs_line(view, load_settings("fast"), Origin("single"))
