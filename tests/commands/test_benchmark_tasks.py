"""Settings of a scene of a benchmark, as its layout's protocol has them."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nvs_jax.commands.benchmark_tasks import count_videos, part_of, settings_of, shorter_side
from nvs_jax.media.cameras import CameraSet, PosedCamera
from nvs_jax.media.splits import Sample
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.settings import PathSettings, PictureSettings, RenderSettings
from nvs_jax.settings.benchmark import BenchmarkJob
from nvs_jax.settings.presets import load_settings


def posed(given: int, height: int = 540, width: int = 960) -> Sample:
    camera = PosedCamera(np.eye(4), np.diag([500.0, 500.0, 1.0]), height, width, None)
    return Sample("a", CameraSet((camera,) * given), CameraSet((camera,)))


def job(split, preset: str | None = None, **more) -> BenchmarkJob:
    settings = more.pop("settings", load_settings(preset or "fast"))
    return BenchmarkJob(split=split, data=Path(), weights="svd", preset=preset, settings=settings, **more)


def test_seva_compares_squares_of_videos_whose_shorter_side_is_576() -> None:
    seva = job("seva")
    assert settings_of(seva, posed(1), 64).picture.size == (576, 1024)
    assert settings_of(seva, posed(1, 1000, 750), 64).picture.size == (768, 576)
    assert (shorter_side(seva), part_of(seva)) == (576, "square")
    own = job("seva", settings=RenderSettings(picture=PictureSettings(size=(96, 128))), compared="all")
    assert settings_of(own, posed(1), 64).picture.size == (96, 128)
    assert (shorter_side(own), part_of(own)) == (None, "all")


@pytest.mark.parametrize("split", ["re10k", "posed", "paper", "davis"])
def test_other_layouts_compare_all_of_videos_of_any_shape(split) -> None:
    other = job(split)
    assert settings_of(other, posed(1), 64) == other.settings
    assert (shorter_side(other), part_of(other)) == (None, "all")


def test_a_shorter_side_is_of_posed_videos() -> None:
    assert settings_of(job("posed", shorter_side=256), posed(1), 64).picture.size == (256, 448)
    photo = job("paper", shorter_side=256)
    assert settings_of(photo, Unposed("a", Path("a"), False, None), 64) == photo.settings
    assert shorter_side(photo) is None


def test_how_many_videos_a_scene_takes() -> None:
    lattice: Any = SimpleNamespace(frames=4)
    for targets, videos in ((1, 1), (3, 1), (4, 2), (7, 3)):
        sample = replace(posed(1), targets=CameraSet(posed(targets).given.cameras))
        assert count_videos(sample, RenderSettings(), lattice) == videos
    video, photo = (Unposed("a", Path("a"), is_video, None) for is_video in (True, False))
    line = RenderSettings(path=PathSettings(kind="line"))
    assert [count_videos(video, RenderSettings(), lattice), count_videos(photo, line, lattice)] == [1, 1]
    assert count_videos(photo, RenderSettings(), lattice) == 2


def test_a_preset_has_its_settings_of_every_kind_of_scene() -> None:
    video, photo = (Unposed("a", Path("a"), is_video, None) for is_video in (True, False))
    release = job("paper", "reference")
    assert settings_of(release, video, 64) == load_settings("reference", "video")
    assert settings_of(release, photo, 64) == load_settings("reference")
    assert settings_of(job("posed", "reference"), posed(2), 64) == load_settings("reference", "views")
    changed = load_settings("reference", changes={"camera": {"far": 900.0}})
    assert settings_of(job("paper", "reference", settings=changed), video, 64).camera.far == 900.0
