from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nvs_jax.errors import InputError
from nvs_jax.media import files_in, folder_shape, open_frames, read_frames, write_picture
from nvs_jax.media.video import folders


def test_frames_are_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        write_picture(tmp_path / f"frame_{number}.png", np.full((4, 6, 3), number / 10, np.float32))
    (tmp_path / "notes.txt").write_text("not a picture")
    np.testing.assert_allclose(read_frames(tmp_path)[:, 0, 0, 0], [0.1, 0.2, 1.0], atol=0.002)
    write_picture(tmp_path / "frame_11.png", np.zeros((4, 7, 3), np.float32))
    with pytest.raises(InputError, match=r"frame_11\.png: 7x4, but frame_1\.png is 6x4; all frames must have one size"):
        read_frames(tmp_path)


def test_folders_without_frames(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures in this folder"):
        read_frames(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        read_frames(tmp_path / "missing")


def test_what_macos_writes_beside_files_is_left_out(tmp_path: Path) -> None:
    write_picture(tmp_path / "0.png", np.zeros((4, 6, 3), np.float32))
    (tmp_path / "._0.png").write_bytes(b"\x00\x05\x16\x07 Mac OS X")
    (tmp_path / "1.png").mkdir()
    assert read_frames(tmp_path).shape == (1, 4, 6, 3)
    assert files_in(tmp_path, {".png"}) == [tmp_path / "0.png"]


def test_heic_pictures_are_named(tmp_path: Path) -> None:
    write_picture(tmp_path / "1.jpg", np.zeros((4, 6, 3), np.float32))
    (tmp_path / "IMG_2.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(InputError, match=r"IMG_2\.HEIC: HEIC pictures cannot be read; convert them to JPEG or PNG"):
        read_frames(tmp_path)


def test_sizes_are_judged_before_any_picture_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    for index in range(3):
        Image.new("1", (4000, 4000)).save(tmp_path / f"{index}.png")
    monkeypatch.setattr(folders, "read_photo", decode)
    monkeypatch.setattr(folders, "MAX_TOTAL_MEGAPIXELS", 47.0)
    assert folder_shape(tmp_path) == (3, 4000, 4000)
    with pytest.raises(InputError, match="3 frames of 4000x4000 are 48 megapixels, more than 47"):
        read_frames(tmp_path)
    Image.new("1", (4000, 4001)).save(tmp_path / "3.png")
    with pytest.raises(InputError, match=r"3\.png: 4000x4001, but 0\.png is 4000x4000"):
        read_frames(tmp_path)
    (tmp_path / "large").mkdir()
    Image.new("1", (9000, 9000)).save(tmp_path / "large" / "0.png")
    with pytest.raises(InputError, match="81 megapixels"):
        folder_shape(tmp_path / "large")


def test_a_folder_is_read_a_picture_at_a_time(tmp_path: Path) -> None:
    for index in range(3):
        write_picture(tmp_path / f"{index}.png", np.full((4, 6, 3), index / 2, np.float32))
    with pytest.raises(InputError, match="3 frames, more than 2"), open_frames(tmp_path, max_frames=2):
        pass
    with open_frames(tmp_path) as clip:
        assert (clip.size, clip.count, clip.rate) == ((4, 6), 3, None)
        next(clip.shots)
        (tmp_path / "2.png").write_bytes(b"damaged meanwhile")
        assert next(clip.shots).picture[0, 0, 0] == pytest.approx(0.5, abs=0.002)
        with pytest.raises(InputError, match=r"2\.png"):
            next(clip.shots)
