"""Photos and videos without a truth: the paths they go along, and what can be said of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.sample_scores import known_scores
from nvs_jax.evaluation.field.samples import variants_of
from nvs_jax.evaluation.field.samples_unposed import tasks_of_unposed, with_video_path
from nvs_jax.evaluation.trajectories import centres
from nvs_jax.inputs.view import DepthFile
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.settings import PathSettings, PictureSettings, RenderSettings
from nvs_jax.settings.presets import load_settings

HEIGHT, WIDTH, FRAMES = 24, 32, 5
SETTINGS = RenderSettings(picture=PictureSettings(size=(HEIGHT, WIDTH)))


@pytest.fixture
def clip(tmp_path: Path) -> Unposed:
    """A grey video that becomes lighter, before a wall."""
    for index in range(FRAMES + 2):
        for name in ("clip", "depth"):
            (tmp_path / name).mkdir(exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (20 * index,) * 3).save(tmp_path / "clip" / f"{index:05}.png")
        np.save(tmp_path / "depth" / f"{index:05}.npy", np.full((HEIGHT, WIDTH), 30.0, np.float32))
    return Unposed("clip", tmp_path / "clip", is_video=True, depth=tmp_path / "depth")


def test_a_photo_goes_to_both_sides_and_has_no_scores_that_need_a_truth(clip: Unposed) -> None:
    assert clip.depth is not None
    photo = Unposed("a", clip.pictures / "00003.png", is_video=False, depth=clip.depth / "00003.npy")
    assert photo.depth is not None
    left, right = tasks_of_unposed(photo, DepthFile(photo.depth, "depth"), SETTINGS, (8, FRAMES))
    stands, mirrored = centres(left.poses), centres(right.poses)
    np.testing.assert_allclose(stands, mirrored * [-1, 1, 1], atol=1e-4)
    angle = np.radians(FRAMES - 1)  # on the release's orbit of a photo
    np.testing.assert_allclose(stands[-1], [60 * np.sin(angle), 0, 70 * np.cos(angle)], atol=1e-4)
    assert left.truth is None and left.real.shape == (1, HEIGHT, WIDTH, 3)
    scores = known_scores(np.zeros((FRAMES - 1, HEIGHT, WIDTH, 3), np.float32), left)
    assert list(scores) == ["hole_share"] and len(scores["hole_share"]) == FRAMES - 1
    assert variants_of(truth=False) == ("guided", "filled warp", "model alone")
    line = replace(SETTINGS, path=PathSettings(kind="line"))
    assert len(list(tasks_of_unposed(photo, DepthFile(photo.depth, "depth"), line, (8, FRAMES)))) == 1


def test_a_video_goes_along_the_releases_path_for_videos(clip: Unposed, capsys) -> None:
    assert clip.depth is not None
    depth = DepthFile(clip.depth, "depth")
    (task,) = tasks_of_unposed(clip, depth, SETTINGS, (8, FRAMES))
    assert f"the first {FRAMES} of {FRAMES + 2} frames" in capsys.readouterr().err
    angle = np.radians(FRAMES - 1)
    np.testing.assert_allclose(centres(task.poses)[-1], [15 * np.sin(angle), 0, 30 * np.cos(angle)], atol=1e-4)
    assert task.conditions.mode == "video" and task.real.shape == (FRAMES, HEIGHT, WIDTH, 3)
    seen = task.conditions.warped.mean((1, 2, 3), where=~task.conditions.holes[..., None])
    np.testing.assert_allclose(seen, 20 * np.arange(FRAMES) / 255, atol=1 / 255)  # each frame is its own warp
    with pytest.raises(InputError, match=r"has 7 frames, and videos of 9 are compared: .* --path.frames 7"):
        next(tasks_of_unposed(clip, depth, SETTINGS, (8, 9)))


def test_who_asks_for_another_path_gets_it() -> None:
    assert with_video_path(RenderSettings()).path.radius == (15.0, 30.0)
    own = RenderSettings(path=PathSettings(radius=(3.0, 4.0)))
    assert with_video_path(own) == own
    reference = load_settings("reference", "video")
    assert with_video_path(reference).path == reference.path == PathSettings(radius=(15.0, 30.0))
