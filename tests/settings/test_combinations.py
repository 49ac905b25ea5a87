from dataclasses import replace
from pathlib import Path

import pytest

from nvs_jax.errors import InputError
from nvs_jax.settings import CameraSettings, PathSettings, RenderSettings, TrustSettings
from nvs_jax.settings.combinations import check_combinations, ignored
from nvs_jax.settings.jobs import SingleJob, VideoJob, ViewsJob
from nvs_jax.settings.presets import settings_for

TURN, PIXELS = PathSettings("full-turn"), TrustSettings(distance="pixels")
SINGLE = SingleJob(photo=Path("photo.png"), out=Path("out"))
VIDEO = VideoJob(frames=Path("frames"), out=Path("out"))
VIEWS = ViewsJob(scene=Path("scene"), out=Path("out"))


@pytest.mark.parametrize(
    ("job", "settings", "said"),
    [
        (VIDEO, RenderSettings(path=TURN), "made from a single photo"),
        (VIEWS, RenderSettings(path=TURN), "made from a single photo"),
        (SINGLE, RenderSettings(path=TURN, trust=PIXELS), "pixels does not take a full turn"),
        (SINGLE, RenderSettings(path=PathSettings("full-turn", zoom=2.0)), "--path.zoom is of one path"),
        (VIEWS, RenderSettings(trust=PIXELS), "pixels takes a photo or a video"),
        (VIDEO, RenderSettings(camera=CameraSettings(exif=True)), "of a single photo"),
        (SINGLE, RenderSettings(path=PathSettings("file", file=Path("none.txt"))), "none.txt is not a file"),
    ],
)
def test_refused_before_any_work(job, settings, said):
    with pytest.raises(InputError, match=said):
        check_combinations(job, settings)


def test_warps_made_elsewhere_are_looked_for(tmp_path):
    job = SingleJob(photo=Path("photo.png"), out=Path("out"), conditions=tmp_path)
    with pytest.raises(InputError, match="warps is not there"):
        check_combinations(job, RenderSettings())
    with pytest.raises(InputError, match="a full turn is several"):
        check_combinations(job, RenderSettings(path=TURN))
    for name in ("warps", "holes"):
        (tmp_path / name).mkdir()
    check_combinations(job, RenderSettings())


def test_what_goes_together_is_left_alone():
    for job in (SINGLE, VIDEO):
        check_combinations(job, RenderSettings(trust=PIXELS))
    check_combinations(SINGLE, RenderSettings(path=TURN))


def test_what_views_ignore_is_named():
    assert ignored(VIEWS, RenderSettings(path=PathSettings("line", frames=9))) == ("--path.kind",)
    assert ignored(VIEWS, RenderSettings(path=PathSettings(frames=9))) == ()
    assert ignored(SINGLE, RenderSettings(path=PathSettings("line"))) == ()
    brought = settings_for("demo", mode="views")
    assert brought.path != PathSettings() and ignored(replace(VIEWS, weights="demo"), brought) == ()
    assert ignored(replace(VIEWS, weights="demo", preset="fast"), brought) == ("--path.step-degrees",)
