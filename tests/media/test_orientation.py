import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from nvs_jax.media.photo import photo_size, read_photo


def turned_png(where: str) -> bytes:
    """A picture 6 wide and 4 high that is stored on its side, with its EXIF data before or behind the pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.new("RGB", (4, 6)).save(stream, "PNG")
    content, data = stream.getvalue(), exif.tobytes()[6:]
    chunk = struct.pack(">I", len(data)) + b"eXIf" + data + struct.pack(">I", zlib.crc32(b"eXIf" + data))
    at = content.index({"before": b"IDAT", "behind": b"IEND"}[where]) - 4
    return content[:at] + chunk + content[at:]


@pytest.mark.parametrize("where", ["before", "behind"])
def test_exif_data_before_or_behind_the_pixels(tmp_path: Path, where: str) -> None:
    (tmp_path / "photo.png").write_bytes(turned_png(where))
    assert photo_size(tmp_path / "photo.png") == (4, 6) == read_photo(tmp_path / "photo.png").shape[:2]


def test_the_size_of_a_png_is_its_headers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: Image.Image) -> None:
        raise AssertionError("decoded")

    Image.new("1", (9000, 9001)).save(tmp_path / "photo.png")
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", load)
    assert photo_size(tmp_path / "photo.png") == (9001, 9000)
