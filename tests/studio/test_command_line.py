"""The command that is shown asks for the very job that was chosen."""

import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args

import pytest

from nvs_jax.cli import parse
from nvs_jax.settings import Method, PathKind
from nvs_jax.settings.jobs import MeshOptions, SingleJob, VideoJob, ViewsJob
from nvs_jax.settings.presets import settings_for
from nvs_jax.studio.command_line import arguments, command


def photo(weights=None, preset=None, **changes):
    settings = settings_for(weights, preset)
    for group, values in changes.items():
        settings = replace(settings, **{group: replace(getattr(settings, group), **values)})
    return SingleJob(photo=Path("my photo.png"), out=Path("out"), weights=weights, preset=preset, settings=settings)


@pytest.mark.parametrize("kind", [kind for kind in get_args(PathKind) if kind != "file"])
def test_every_kind_of_path_comes_back(kind):
    job = photo(path={"kind": kind, "frames": 14, "radius": (1.5, 90.5), "end": (1.0, -2.0, -3e-5), "inverse": True})
    assert parse(arguments(job)) == job


@pytest.mark.parametrize(("weights", "preset"), [(None, None), ("demo", None), (None, "reference"), ("demo", "paper")])
def test_the_preset_and_the_weights_own_settings_are_not_repeated(weights, preset):
    job = photo(weights, preset)
    assert len(arguments(job)) == 4 + 2 * (weights is not None) + 2 * (preset is not None)
    assert parse(arguments(job)) == job


def test_switches_groups_lists_and_nothing_come_back():
    job = photo(
        "demo",
        camera={"disparity": replace(settings_for("demo").camera.disparity, align=False, percentiles=(2.0, 95.0))},
        warp={"max_tilt": None, "drop_behind": False, "quantize": False},
        picture={"size": (64, 128), "fit": "pad"},
        path={"kind": "file", "file": Path("some path.json"), "frames": 9},
    )
    job = replace(job, low_memory=True, seed=7, depth=Path("d.npy"), depth_kind="depth", mesh=MeshOptions(rows=2))
    assert parse(arguments(job)) == job


@pytest.mark.parametrize("method", get_args(Method))
def test_methods_and_steps_come_back(method):
    job = replace(photo(), method=method, steps=11)
    assert parse(arguments(job)) == job


def test_a_video_and_posed_views_come_back():
    video = VideoJob(frames=Path("clip.mp4"), out=Path("o"), settings=settings_for(None, "reference", "video"))
    video = replace(video, preset="reference")
    views = ViewsJob(scene=Path("scene"), out=Path("o"), cameras=(3, 1), settings=settings_for(None, None, "views"))
    assert [parse(arguments(job)) for job in (video, views)] == [video, views]


def test_the_line_is_quoted_for_a_shell():
    line = command(photo())
    assert line == "nvs-jax single 'my photo.png' --out out"
    assert shlex.split(line)[1:] == arguments(photo())


def test_no_field_of_a_job_is_forgotten():
    changed = {"seed": 3, "dtype": "float32", "preview": True, "overwrite": True, "resume": True, "png_scale": 2.0}
    job = replace(photo(), **changed)
    assert {field.name for field in fields(job)} > changed.keys()
    assert parse(arguments(job)) == job
