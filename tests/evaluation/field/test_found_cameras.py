"""Cameras found in frames: known similarities and jitters, videos that fail, and COLMAP on a painted corner."""

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from nvs_jax.evaluation.field import found_cameras
from nvs_jax.evaluation.field.found_cameras import VideoCameras, camera_lines, compare_cameras, find_cameras
from nvs_jax.evaluation.field.kept_frames import KeptVideo
from nvs_jax.evaluation.trajectories import CameraErrors, Similarity
from nvs_jax.media import read_photo
from nvs_jax.media.cameras import read_tum, write_tum
from nvs_jax.media.cameras.colmap.register import register_photos
from tests.media.cameras.rooms import FOCAL, poses_beside, write_photos


@pytest.fixture(scope="module")
def corner(tmp_path_factory) -> KeptVideo:
    """Five views of a painted corner, kept as a benchmark keeps them, and looked at by COLMAP."""
    folder, poses = tmp_path_factory.mktemp("corner"), poses_beside(5)
    photos = write_photos(folder / "photos", poses)
    video = KeptVideo(folder / "frames" / "0")
    lens = np.array([[FOCAL, 0, 0], [0, FOCAL, 0], [0, 0, 1]])
    video.write("key", np.stack([read_photo(photo) for photo in photos]), poses, np.tile(lens, (5, 1, 1)))
    find_cameras(video)
    return video


def test_colmap_finds_the_cameras_of_kept_frames(corner: KeptVideo) -> None:
    found = compare_cameras(corner.found, corner.asked)
    assert (found.known, found.frames) == (5, 5) and found.errors is not None
    # As for photos: of a path 1 long at a distance of 4, 0.01 and 0.5 degrees.
    assert found.errors.ate < 0.01 and found.errors.rpe_t < 0.01 and found.errors.rpe_r < 0.5
    assert read_tum(corner.found)[0].tolist() == [0, 1, 2, 3, 4]


def test_frames_that_show_nothing_are_a_video_that_failed(tmp_path: Path) -> None:
    video = KeptVideo(tmp_path / "0")
    noise = np.random.default_rng(0).uniform(size=(3, 96, 128, 3)).astype(np.float32)
    video.write("key", noise, poses_beside(3), np.tile(np.diag([100.0, 100.0, 1.0]), (3, 1, 1)))
    find_cameras(video)
    assert video.found.read_text().startswith("# no two of the 3 photos show enough of the same")
    assert compare_cameras(video.found, video.asked) == VideoCameras(None, 0, 3)
    single = KeptVideo(tmp_path / "1")
    single.write("key", noise[:1], poses_beside(1), np.eye(3)[None])
    find_cameras(single)
    assert compare_cameras(single.found, single.asked) == VideoCameras(None, 0, 1)


def test_cameras_that_cannot_be_are_a_video_that_failed(corner: KeptVideo, tmp_path, monkeypatch) -> None:
    """COLMAP brings the focal length of frames that hardly fit together anywhere."""

    def bend(pictures: list[Path], folder: Path, focal: float) -> None:
        register_photos(pictures, folder, focal)
        cameras = folder / "sparse" / "0" / "cameras.bin"
        content = bytearray(cameras.read_bytes())
        content[32:40] = struct.pack("<d", 1e-3)  # after count, id, model, width and height
        cameras.write_bytes(content)

    monkeypatch.setattr(found_cameras, "register_photos", bend)
    video = KeptVideo(tmp_path / "0")
    shutil.copytree(corner.folder, video.folder)
    find_cameras(video)
    assert video.found.read_text().startswith("# scene/sparse/0: camera 1: fx 0.001")
    assert compare_cameras(video.found, video.asked) == VideoCameras(None, 0, 5)


def path(count: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = Rotation.from_rotvec(rng.normal(scale=0.3, size=(count, 3))).as_matrix()
    poses[:, :3, 3] = rng.normal(size=(count, 3))
    return poses


def compared(folder: Path, found: np.ndarray, asked: np.ndarray, times: np.ndarray | None = None) -> VideoCameras:
    write_tum(folder / "asked.txt", asked)
    write_tum(folder / "found.txt", found, times)
    return compare_cameras(folder / "found.txt", folder / "asked.txt")


def test_a_similarity_of_the_whole_path_is_no_error(tmp_path: Path) -> None:
    asked = path(10)
    R = Rotation.from_rotvec([0.4, -1.0, 2.0]).as_matrix()
    found = compared(tmp_path, Similarity(0.2, R, np.array([5.0, -3.0, 1.0])).poses(asked), asked)
    assert found.errors is not None and found.known == 10
    assert max(found.errors.ate, found.errors.rpe_t, found.errors.rpe_r) < 1e-5


def test_a_jitter_of_every_other_camera_has_a_known_error(tmp_path: Path) -> None:
    """Cameras on a line, each second one set off by d along another axis: the best similarity halves the offset."""
    count, d = 40, 1e-3
    asked = np.tile(np.eye(4), (count, 1, 1))
    asked[:, 0, 3] = -np.arange(count)
    jitter = asked.copy()
    jitter[1::2, 1, 3] -= d
    found = compared(tmp_path, jitter, asked)
    assert found.errors is not None
    assert found.errors.ate == pytest.approx(d / 2, rel=0.01)
    assert found.errors.rpe_t == pytest.approx(d, rel=0.01)
    turned = asked.copy()
    turned[1::2, :3, :3] = Rotation.from_rotvec([0, 0, np.radians(2.0)]).as_matrix()
    turned[1::2, :3, 3] = np.einsum("ij,fj->fi", turned[1, :3, :3], asked[1::2, :3, 3])  # in place
    found = compared(tmp_path, turned, asked)
    assert found.errors is not None and found.errors.ate < 1e-9
    assert found.errors.rpe_r == pytest.approx(2.0, rel=1e-6)


def test_a_video_fails_below_80_percent_of_its_frames(tmp_path: Path) -> None:
    asked = path(10)
    kept = np.array([0, 1, 2, 4, 5, 7, 8, 9])
    found = compared(tmp_path, asked[kept], asked, kept.astype(np.float64))
    assert found.known == 8 and found.errors is not None and found.errors.ate < 1e-6
    found = compared(tmp_path, asked[kept[:7]], asked, kept[:7].astype(np.float64))
    assert found == VideoCameras(None, 7, 10)
    still = np.tile(asked[:1], (10, 1, 1))  # no similarity brings one place to a path
    assert compared(tmp_path, still, asked) == VideoCameras(None, 10, 10)


def test_the_table_is_over_scenes_and_counts_what_failed() -> None:
    def good(ate: float) -> VideoCameras:
        return VideoCameras(CameraErrors(ate, ate / 10, 2 * ate), 10, 10)

    failed = VideoCameras(None, 3, 10)
    rows = {
        "guided": {"a": [good(1.0), good(3.0), good(5.0)], "b": [good(1.0)]},
        "model alone": {"a": [failed, good(2.0)], "b": [failed]},
        "filled warp": {},
    }
    text = camera_lines(rows, "COLMAP")
    assert "by COLMAP" in text[2] and "fewer than 80 %" in text[2]
    assert text[-3] == "| guided | 2.0000 ± 12.7062 | 0.2000 ± 1.2706 | 4.0000 ± 25.4124 | 0 of 4 |"
    assert text[-2] == "| model alone | 2.0000 | 0.2000 | 4.0000 | 2 of 3 |"
    assert text[-1] == "| filled warp | - | - | - | - |"
