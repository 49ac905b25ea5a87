from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nvs_jax.commands.benchmark_fingerprint import fingerprint
from nvs_jax.media.cameras import CameraSet, PosedCamera
from nvs_jax.media.cameras.views import DepthUnit
from nvs_jax.media.splits import Sample
from nvs_jax.media.unposed_splits import Unposed


@pytest.fixture
def posed(tmp_path: Path) -> Sample:
    (tmp_path / "a.png").write_bytes(b"picture")
    camera = PosedCamera(np.eye(4), np.eye(3), 8, 8, tmp_path / "a.png", tmp_path / "a.npy")
    return Sample("scene", CameraSet((camera,)), CameraSet((replace(camera, depth=None),)))


def test_the_same_scene_elsewhere_is_the_same(posed: Sample, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.png").write_bytes(b"picture")
    moved = replace(posed.given.cameras[0], picture=tmp_path / "other" / "a.png", depth=tmp_path / "other" / "a.npy")
    again = Sample("scene", CameraSet((moved,)), CameraSet((replace(moved, depth=None),)))
    assert fingerprint(again) == fingerprint(posed)


def test_another_picture_another_pose_and_an_added_map_are_another_scene(posed: Sample, tmp_path: Path) -> None:
    before = fingerprint(posed)
    turned = replace(posed.given.cameras[0], pose=np.diag([1.0, -1, -1, 1]))
    assert fingerprint(replace(posed, given=CameraSet((turned,)))) != before
    assert fingerprint(replace(posed, given=posed.targets, targets=posed.given)) == before  # there is no map yet
    (tmp_path / "a.npy").write_bytes(b"map")
    with_map = fingerprint(posed)
    assert with_map != before
    (tmp_path / "a.npy").write_bytes(b"MAP")
    of_one_size = fingerprint(posed)
    assert of_one_size not in (before, with_map)
    (tmp_path / "a.png").write_bytes(b"another picture")
    assert fingerprint(posed) not in (before, with_map, of_one_size)


def test_the_last_bits_of_cameras_count_for_nothing(posed: Sample) -> None:
    camera = posed.given.cameras[0]
    other = replace(camera, pose=camera.pose - 1e-12, intrinsics=camera.intrinsics * (1 + 1e-12))
    assert fingerprint(replace(posed, given=CameraSet((other,)))) == fingerprint(posed)


def test_depth_of_another_unit_and_other_points_are_another_scene(posed: Sample) -> None:
    camera, before = posed.given.cameras[0], fingerprint(posed)
    in_metres = replace(camera, depth_unit=DepthUnit(0.001, "millimetres"))
    assert fingerprint(replace(posed, given=CameraSet((in_metres,)))) != before
    with_points = [fingerprint(replace(posed, given=CameraSet((camera,), np.full((2, 3), at)))) for at in (1.0, 2.0)]
    assert len({before, *with_points}) == 3


def test_of_a_video_every_frame_counts(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    (frames / "0.png").write_bytes(b"0")
    video = Unposed("scene", frames, True, None)
    one = fingerprint(video)
    (frames / "1.png").write_bytes(b"1")
    assert fingerprint(video) != one
    assert fingerprint(replace(video, depth=frames)) not in (one, fingerprint(video))
