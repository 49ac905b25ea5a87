"""Settings of a path become poses."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.geometry import dolly_zoom, ellipse, figure_of_eight, line, orbit, spiral
from nvs_jax.inputs.camera_path import camera_path, focal_factors
from nvs_jax.media.cameras import write_poses
from nvs_jax.settings import PathSettings
from nvs_jax.settings.presets import load_settings

GIVEN = orbit(60, 70, 1, 1)[0]
PATHS = {
    "orbit": (PathSettings(inverse=True), lambda: orbit(60, 70, 1, 5, inverse=True)),
    "line": (PathSettings(kind="line"), lambda: line(40, (30, 2, -10), 5)),
    "ellipse": (PathSettings(kind="ellipse", tilt_degrees=45), lambda: ellipse(60, 70, 1, 5, 45)),
    "spiral": (PathSettings(kind="spiral", turns=1), lambda: spiral(GIVEN, (8, 4, 8), 70, 5, 1)),
    "figure-of-eight": (PathSettings(kind="figure-of-eight"), lambda: figure_of_eight(GIVEN, 8, 4, 70, 5)),
    "dolly-zoom": (PathSettings(kind="dolly-zoom", travel=-9), lambda: dolly_zoom(GIVEN, 70, -9, 5).poses),
}


@pytest.mark.parametrize("kind", PATHS)
def test_settings_name_the_path(kind):
    settings, expected = PATHS[kind]
    np.testing.assert_allclose(camera_path(settings, 5), expected(), atol=1e-5)
    assert len(focal_factors(settings, 5)) == 5


def test_length_is_the_settings_own_or_the_models():
    assert camera_path(PathSettings(frames=3), 5).shape == (3, 4, 4)
    assert focal_factors(PathSettings(frames=3), 5).tolist() == [1, 1, 1]


def test_a_dolly_zoom_and_a_zoom_turn_the_lens():
    zoom = PathSettings(kind="dolly-zoom", radius=(1, 4), travel=2)
    np.testing.assert_allclose(focal_factors(zoom, 3), [1, 0.75, 0.5])
    np.testing.assert_allclose(focal_factors(PathSettings(zoom=4), 3), [1, 2, 4])
    np.testing.assert_allclose(
        focal_factors(PathSettings("dolly-zoom", radius=(1, 4), travel=2, zoom=4), 3), [1, 1.5, 2]
    )


@pytest.mark.parametrize("name", ["poses.json", "poses.txt"])
def test_poses_of_a_file(tmp_path, name):
    poses = np.asarray(orbit(3, 4, 5, 6))
    write_poses(tmp_path / name, poses.astype(np.float64))
    settings = PathSettings(kind="file", file=tmp_path / name)
    path = camera_path(settings, 6)
    assert path.dtype == jnp.float32
    np.testing.assert_array_equal(path, poses)
    with pytest.raises(InputError, match="holds 6 poses, the video has 25 frames"):
        camera_path(settings, 25)


def test_what_a_files_numbers_are_taken_for_is_said(tmp_path, capsys):
    (tmp_path / "07.txt").write_text("1 0 0 -1 0 1 0 -2 0 0 1 -3\n" * 2)
    path = camera_path(PathSettings(kind="file", file=tmp_path / "07.txt"), 2)
    np.testing.assert_array_equal(path[:, :3, 3], [[1, 2, 3]] * 2)
    assert "07.txt is read as KITTI's poses: 12 numbers a line, camera-to-world" in capsys.readouterr().err


def test_a_file_with_a_sheared_rotation_is_refused(tmp_path):
    (tmp_path / "poses.txt").write_text("1 0.5 0 0 0 1 0 0 0 0 1 0\n" * 2)
    with pytest.raises(InputError, match="line 1: the rotation's rows are not orthogonal"):
        camera_path(PathSettings(kind="file", file=tmp_path / "poses.txt"), 2)
    with pytest.raises(InputError, match="no such file"):
        camera_path(PathSettings(kind="file", file=tmp_path / "none.txt"), 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: PathSettings(kind="file"), "needs both"),
        (lambda: PathSettings(file=Path("poses.txt")), "needs both"),
        (lambda: PathSettings(kind="dolly-zoom", travel=70), "in front of the origin"),
        (lambda: PathSettings(kind="spiral", reach=(1, 1, -80)), "in front of the origin"),
        (lambda: PathSettings(radius=(0, 1)), "path.radius must lie between 0.001 and 1e\\+06, not 0"),
        (lambda: PathSettings(frames=1), "path.frames must lie between 2 and 2000, not 1"),
    ],
)
def test_impossible_paths_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        wrong()


def test_a_path_loads_from_yaml(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("path: {kind: file, file: poses.txt, frames: 9}\n")
    assert load_settings(str(file)).path == PathSettings(kind="file", file=Path("poses.txt"), frames=9)
    file.write_text("path: {kind: spiral, reach: [1, 2, 3]}\n")
    assert load_settings(str(file)).path.reach == (1, 2, 3)
