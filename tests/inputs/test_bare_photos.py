"""Photos without cameras become a posed scene, once."""

from dataclasses import replace
from pathlib import Path

import pytest

import nvs_jax.inputs.bare_photos
from nvs_jax.errors import InputError
from nvs_jax.inputs.bare_photos import ignored_with, with_poses
from nvs_jax.media.cameras.colmap.register import Registration
from nvs_jax.settings import CameraSettings, RenderSettings
from nvs_jax.settings.jobs import MeshOptions, SingleJob, ViewsJob


@pytest.fixture
def job(tmp_path: Path) -> ViewsJob:
    photos, maps = tmp_path / "photos", tmp_path / "maps"
    photos.mkdir()
    maps.mkdir()
    for name in ("b.jpg", "a.jpg"):
        (photos / name).write_text("")
    settings = RenderSettings(camera=CameraSettings(fov=60.0))
    return ViewsJob(scene=photos, depth=maps, out=tmp_path / "out", settings=settings)


def test_poses_are_found_once_and_kept(job: ViewsJob, tmp_path: Path, monkeypatch, capsys) -> None:
    asked = []

    def register(photos, folder, focal):
        asked.append(([photo.name for photo in photos], focal))
        (folder / "sparse").mkdir()
        return Registration(folder, ("a.png", "b.png"), ("c.jpg",), 900, 0.5, 0.9, "given")

    monkeypatch.setattr(nvs_jax.inputs.bare_photos, "register_photos", register)
    folder = tmp_path / ".out.run" / "legs" / "scene"
    found = with_poses(job, folder)
    assert found == replace(job, scene=folder)
    assert "2 of 3 photos registered, 900 points, 0.50 pixels off on average" in capsys.readouterr().err
    assert with_poses(job, folder) == found
    assert "are there, from before" in capsys.readouterr().err
    assert asked == [(["a.jpg", "b.jpg"], pytest.approx(0.5 / 3**-0.5))]


def test_nothing_remains_where_none_are_found(job: ViewsJob, tmp_path: Path, monkeypatch) -> None:
    def register(photos, folder, focal):
        (folder / "images").mkdir()
        raise InputError("no two photos match")

    monkeypatch.setattr(nvs_jax.inputs.bare_photos, "register_photos", register)
    with pytest.raises(InputError, match="no two photos match"):
        with_poses(job, tmp_path / "scene")
    assert not (tmp_path / "scene").exists()


def test_scenes_with_cameras_and_other_jobs_stay_as_they_are(job: ViewsJob, tmp_path: Path) -> None:
    single = SingleJob(photo=job.scene, out=job.out)
    assert with_poses(single, tmp_path / "scene") is single
    with pytest.raises(InputError, match="find their poses on one machine first"):
        with_poses(replace(job, mesh=MeshOptions(hosts=True)), tmp_path / "scene")
    assert ignored_with(job, job.settings) == ()
    (job.scene / "transforms.json").write_text("{}")
    assert with_poses(job, tmp_path / "scene") is job
    assert ignored_with(job, job.settings) == ("--camera.fov",)


def test_an_order_that_is_not_that_of_the_numbers_is_said(job: ViewsJob, tmp_path: Path, capsys) -> None:
    (tmp_path / "scene").mkdir()
    with_poses(job, tmp_path / "scene")
    assert "visited" not in capsys.readouterr().err
    for name in ("2.jpg", "10.jpg"):
        (job.scene / name).write_text("")
    with_poses(job, tmp_path / "scene")
    assert "in the order of their names as text, 10.jpg, 2.jpg, a.jpg: rename them" in capsys.readouterr().err
    with_poses(replace(job, cameras=(1, 0)), tmp_path / "scene")
    assert "visited" not in capsys.readouterr().err


def test_depth_that_cannot_be_had_is_said_before_poses_are_looked_for(job: ViewsJob, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(nvs_jax.inputs.bare_photos, "register_photos", None)
    for missing in (replace(job, depth=None, depth_weights=str(tmp_path)), replace(job, depth=tmp_path / "none")):
        with pytest.raises(InputError, match=r"config\.json|no such folder of depth maps"):
            with_poses(missing, tmp_path / "scene")
    assert not (tmp_path / "scene").exists()
