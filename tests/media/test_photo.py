import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from nvs_jax.errors import InputError
from nvs_jax.media import exif_focal, read_photo
from nvs_jax.media.photo import photo_size, to_bytes

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (6, 9, 3), np.uint8)

# What a viewer must do with the stored pixels for each EXIF orientation, after the EXIF standard: where row 0 and
# column 0 of the stored picture lie in the shown one.
TO_UPRIGHT = {
    1: lambda p: p,  # top, left
    2: lambda p: p[:, ::-1],  # top, right
    3: lambda p: p[::-1, ::-1],  # bottom, right
    4: lambda p: p[::-1],  # bottom, left
    5: lambda p: p.swapaxes(0, 1),  # left, top
    6: lambda p: p.swapaxes(0, 1)[:, ::-1],  # right, top
    7: lambda p: p.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
    8: lambda p: p.swapaxes(0, 1)[::-1],  # left, bottom
}


def saved(folder: Path, image: Image.Image, name: str = "photo.png", **options) -> Path:
    image.save(folder / name, **options)
    return folder / name


@pytest.mark.parametrize("orientation", TO_UPRIGHT)
@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "photo.tiff", "photo.webp"])
def test_is_upright(tmp_path: Path, orientation: int, name: str) -> None:
    blocks = np.kron(RNG.integers(0, 2, (4, 5, 1)) * [255, 255, 255], np.ones((16, 16, 1))).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, Image.fromarray(blocks), name, exif=exif)
    np.testing.assert_allclose(read_photo(path), TO_UPRIGHT[orientation](blocks) / 255, atol=0.1)


def test_colours_are_exact(tmp_path: Path) -> None:
    picture = read_photo(saved(tmp_path, Image.fromarray(COLOURS)))
    assert picture.dtype == np.float32
    np.testing.assert_array_equal(to_bytes(picture), COLOURS)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
@pytest.mark.parametrize("name", ["photo.png", "photo.tiff", "photo.bmp", "photo.gif"])
def test_modes(tmp_path: Path, mode: str, name: str) -> None:
    image = Image.fromarray(COLOURS // 51 * 51).convert(mode)
    shown = np.asarray(image.convert("RGB"), np.float32) / 255
    np.testing.assert_allclose(read_photo(saved(tmp_path, image, name)), shown, atol=1e-6)


def test_cmyk(tmp_path: Path) -> None:
    flat = Image.new("RGB", (16, 16), (200, 40, 90))
    picture = read_photo(saved(tmp_path, flat.convert("CMYK"), "photo.jpg", quality=95))
    np.testing.assert_allclose(picture, np.asarray(flat) / 255, atol=0.03)


def test_sixteen_bits_keep_their_precision(tmp_path: Path) -> None:
    grey = np.array([[0, 1, 257], [32768, 65534, 65535]], np.uint16)
    picture = read_photo(saved(tmp_path, Image.fromarray(grey)))
    np.testing.assert_allclose(picture, np.repeat(grey[..., None] / 65535, 3, -1), rtol=1e-6)


def test_floating_point_grey(tmp_path: Path) -> None:
    grey = RNG.random((4, 5), np.float32)
    np.testing.assert_array_equal(read_photo(saved(tmp_path, Image.fromarray(grey), "photo.tiff"))[..., 1], grey)
    with pytest.raises(InputError, match="beyond 16 bits"):
        read_photo(saved(tmp_path, Image.fromarray(grey + 300), "photo.tiff"))


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 3] = [0, 51, 255]
    picture = read_photo(saved(tmp_path, Image.fromarray(rgba)))
    np.testing.assert_allclose(picture[0, :, 0], [1, 0.8, 0], atol=1e-3)
    palette = Image.new("P", (2, 1))
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.putpixel((1, 0), 1)
    picture = read_photo(saved(tmp_path, palette, "palette.png", transparency=0))
    np.testing.assert_array_equal(picture, [[[1, 1, 1], [0, 1, 0]]])


def rgb_profile(primaries: np.ndarray, white: tuple[float, float, float], gamma: float) -> bytes:
    """An ICC profile (version 2) of three colorants (X, Y, Z in rows, adapted to D50) and one power as its curve."""

    def fixed(*numbers: float) -> bytes:
        return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))

    def xyz(numbers: np.ndarray) -> bytes:
        return b"XYZ \0\0\0\0" + fixed(*numbers)

    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"wide\0" + bytes(79)
    tags = {b"desc": text, b"wtpt": xyz(np.array(white)), b"cprt": b"text\0\0\0\0none\0\0\0\0"}
    tags |= {name: xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries.T, strict=True)}
    tags |= {name: curve for name in (b"rTRC", b"gTRC", b"bTRC")}
    table, content = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(content), len(data))
        content += data + bytes(-len(data) % 4)
    size = 128 + len(table) + len(content)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    head = head.ljust(68, b"\0") + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + table + content


# Colorants of Display P3 as its published profile has them, adapted to D50.
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])


def test_a_wide_colour_profile_is_honoured(tmp_path: Path) -> None:
    profile = rgb_profile(P3, (0.9505, 1.0, 1.0891), 2.2)
    # Red of sRGB in P3, and a colour of which both have plenty.
    colours = np.array([[[234, 51, 35], [128, 128, 128]]], np.uint8)
    for name in ("photo.png", "photo.tiff"):
        picture = read_photo(saved(tmp_path, Image.fromarray(colours), name, icc_profile=profile))
        np.testing.assert_allclose(picture[0], [[1, 0, 0], [0.5, 0.5, 0.5]], atol=0.05)
    clear = np.dstack([colours, [[[255], [0]]]]).astype(np.uint8)
    picture = read_photo(saved(tmp_path, Image.fromarray(clear), "clear.png", icc_profile=profile))
    np.testing.assert_allclose(picture[0], [[1, 0, 0], [1, 1, 1]], atol=0.05)


def test_the_profile_of_srgb_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = read_photo(saved(tmp_path, Image.fromarray(COLOURS), icc_profile=profile))
    np.testing.assert_array_equal(to_bytes(picture), COLOURS)
    assert capsys.readouterr().err == ""


def test_a_damaged_profile_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, Image.fromarray(COLOURS), icc_profile=b"no profile" * 20)
    np.testing.assert_array_equal(to_bytes(read_photo(path)), COLOURS)
    said = capsys.readouterr().err
    assert said.startswith(f"{path}: its colour profile cannot be used") and said.count("\n") == 1


def test_heic_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(InputError, match="HEIC pictures cannot be read; convert them to JPEG or PNG"):
        read_photo(tmp_path / "photo.jpg")


def test_of_an_animation_the_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    picture = read_photo(saved(tmp_path, frames[0], "moving.gif", save_all=True, append_images=frames[1:]))
    np.testing.assert_array_equal(picture[0, 0], [1, 0, 0])


def one_line(error: pytest.ExceptionInfo[InputError], path: Path) -> str:
    text = str(error.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    return text


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\xff\xd8\xff"]
)
def test_not_a_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_photo(path)
    assert "save it as JPEG or PNG" in one_line(error, path) or "export it again" in one_line(error, path)


def test_no_such_file(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.png", tmp_path):
        with pytest.raises(InputError, match="no such file") as error:
            read_photo(path)
        one_line(error, path)


def test_cut_short(tmp_path: Path) -> None:
    path = saved(tmp_path, Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match="cannot be read") as error:
        read_photo(path)
    one_line(error, path)


def test_size_is_bounded_before_decoding(tmp_path: Path) -> None:
    # 20,000 x 20,000 black pixels compress to 50 kB; decoded they are 400 MB (1 byte each), as float32 4.8 GB.
    path = saved(tmp_path, Image.new("1", (20000, 20000)))
    with pytest.raises(InputError, match="too large") as error:
        read_photo(path)
    one_line(error, path)
    path = saved(tmp_path, Image.new("1", (9000, 9000)))  # below the library's own limit, above ours
    with pytest.raises(InputError, match="9000x9000 is 81 megapixels, more than 64") as error:
        read_photo(path)
    with pytest.raises(InputError, match="megapixels, more than"):
        read_photo(saved(tmp_path, Image.new("L", (11, 10))), max_megapixels=0.0001)
    assert read_photo(saved(tmp_path, Image.new("L", (10, 10))), max_megapixels=0.0001).shape == (10, 10, 3)


def encoded(form: str) -> bytes:
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(RNG.integers(0, 256, (24, 16, 3), np.uint8)).save(stream, form, exif=exif)
    return stream.getvalue()


WHOLE = {form: encoded(form) for form in ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM")}


@settings(max_examples=300, deadline=None)
@given(
    form=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    keep=st.floats(0, 1),
)
def test_damaged_bytes_give_a_picture_or_an_input_error(tmp_path_factory, form, changes, keep) -> None:
    content = bytearray(WHOLE[form])
    for place, value in changes:
        content[int(place**3 * len(content))] = value  # headers more often than pixels
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[: round(keep * len(content)) if keep < 0.9 else None])
    try:
        picture = read_photo(path)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert picture.shape[-1] == 3
        assert 0 <= picture.min() <= picture.max() <= 1


@pytest.mark.parametrize("orientation", TO_UPRIGHT)
def test_size_is_that_of_the_upright_picture(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (30, 20)).save(tmp_path / "photo.jpg", exif=exif)
    assert photo_size(tmp_path / "photo.jpg") == read_photo(tmp_path / "photo.jpg").shape[:2]


def test_size_of_what_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        photo_size(tmp_path / "photo.jpg")
    (tmp_path / "photo.jpg").write_bytes(b"photo")
    with pytest.raises(InputError, match="not a picture"):
        photo_size(tmp_path / "photo.jpg")


def test_bytes_round_and_clip() -> None:
    picture = np.array([[-0.1, 0.0, 0.4999 / 255], [0.5001 / 255, 254.6 / 255, 1.5]], np.float32)
    np.testing.assert_array_equal(to_bytes(picture), [[0, 0, 0], [1, 255, 255]])
    with pytest.raises(InputError, match="not finite"):
        to_bytes(np.array([[0, np.nan, 0]], np.float32))


@pytest.mark.parametrize(
    ("size", "orientation", "focal"),
    [
        ((60, 40), 1, 26 / 36),
        ((60, 40), 6, 26 / 36 * 60 / 40),
        ((40, 30), 1, 26 / 43.2666 * 50 / 40),  # by the longer side it would be 3.8 % shorter
        ((40, 30), 8, 26 / 43.2666 * 50 / 30),
        ((160, 90), 1, 26 / 43.2666 * 183.5756 / 160),
    ],
)
def test_the_focal_length_is_by_the_diagonal_and_over_the_upright_width(
    tmp_path: Path, size: tuple[int, int], orientation: int, focal: float
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 26
    Image.new("RGB", size).save(tmp_path / "photo.jpg", exif=exif)
    assert exif_focal(tmp_path / "photo.jpg") == pytest.approx(focal, rel=1e-5)


def test_a_photo_without_a_focal_length(tmp_path: Path) -> None:
    Image.new("RGB", (60, 40)).save(tmp_path / "photo.png")
    assert exif_focal(tmp_path / "photo.png") is None
