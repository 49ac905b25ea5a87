"""Frames that are kept: whole, of one result, and never over something else."""

import json
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.kept_frames import KeptVideo, all_pictures, check_names, kept_video
from nvs_jax.media import read_photo
from nvs_jax.media.cameras import read_tum

K = 3


def poses(count: int = K) -> np.ndarray:
    path = np.tile(np.eye(4), (count, 1, 1))
    path[:, 0, 3] = np.arange(count)
    return path


def keep(video: KeptVideo, key: str, frames: np.ndarray) -> None:
    lenses = np.tile(np.diag([40.0, 40.0, 1.0]), (K, 1, 1))
    video.write(key, frames.astype(np.float32), poses(), lenses)


def test_frames_come_back_with_the_path_that_was_asked_for(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (K, 8, 10, 3)) / 255
    video = kept_video(tmp_path, "model alone", "a/b", 1)
    assert not video.holds("key")
    keep(video, "key", frames)
    assert video.holds("key") and not video.holds("another")
    assert [file.relative_to(tmp_path).as_posix() for file in all_pictures([video])] == [
        f"model-alone/a-b/1/{index:03}.png" for index in range(K)
    ]
    np.testing.assert_allclose(np.stack([read_photo(file) for file in video.pictures]), frames, atol=1e-6)
    times, asked = read_tum(video.asked)
    np.testing.assert_allclose(asked, poses(), atol=1e-12)
    assert times.tolist() == [0, 1, 2] and video.focal() == 4.0


def test_frames_of_another_result_take_what_was_found_in_the_former_ones_along(tmp_path: Path) -> None:
    video = KeptVideo(tmp_path / "0")
    keep(video, "one", np.zeros((K, 8, 10, 3)))
    video.found.write_text("# none")
    keep(video, "two", np.ones((K, 8, 10, 3)))
    assert video.holds("two") and not video.found.exists()
    assert read_photo(video.pictures[0]).min() == 1


def test_scenes_that_would_lie_in_one_folder_are_refused() -> None:
    check_names(["a/b", "a/c", "a"])
    with pytest.raises(InputError, match="scenes 'a/b' and 'a-b' is called a-b: rename one"):
        check_names(["a/b", "a/c", "a-b"])


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    video = KeptVideo(tmp_path / "0")
    video.folder.mkdir()
    (video.folder / "holiday.png").write_text("mine")
    with pytest.raises(InputError, match="is not of this command: move it away"):
        keep(video, "key", np.zeros((K, 8, 10, 3)))
    assert (video.folder / "holiday.png").read_text() == "mine"
    (video.folder / "frames.json").write_text(json.dumps({"key": 1}))
    with pytest.raises(InputError, match=r"frames\.json is damaged: remove the folder"):
        video.holds("key")
