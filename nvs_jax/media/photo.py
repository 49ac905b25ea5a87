"""Reading a photo: any common picture file becomes [H, W, 3] float32 in [0, 1], upright and on white."""

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped, UInt8
from PIL import ExifTags, Image, ImageOps

from nvs_jax.disk.files import refuse_pointer
from nvs_jax.errors import InputError
from nvs_jax.media.colour_profile import to_srgb
from nvs_jax.media.orientation import exif_orientation

Picture = Float[np.ndarray, "_ _ 3"]

# What cameras and the web produce. Others stay closed: a decoder is an attack surface, and some start other programs.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "AVIF")
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".ppm", ".avif"})
UNREAD_SUFFIXES = frozenset({".heic", ".heif", ".hif"})
"""Of pictures that phones make and nothing here decodes: where they lie they are meant, so they are not left out."""
MAX_MEGAPIXELS = 64.0


def read_photo(
    path: str | os.PathLike[str], *, max_megapixels: int | float = MAX_MEGAPIXELS, as_stored: bool = False
) -> Picture:
    """Read a picture file.

    The camera's EXIF rotation is applied, transparent parts are laid on white, greyscale is repeated over the colours,
    16-bit and floating-point grey keep their precision. Colours are brought to sRGB by the profile in the file (Display
    P3, Adobe RGB, that of a press). Of an animation the first frame is taken.

    Args:
        path: a file in one of `FORMATS`, whatever its name.
        max_megapixels: larger pictures are refused from their header, before any pixel is decoded.
        as_stored: leave the EXIF rotation aside, as programs that find cameras do.

    Returns:
        [H, W, 3] float32 in [0, 1], in sRGB; where the file has no profile, its numbers as they are.

    Raises:
        InputError: no such file, not a picture, damaged, or too large.
    """
    image = open_picture(path, max_megapixels)
    with _decoding(path):
        image = image if as_stored else ImageOps.exif_transpose(image)
        if not _is_deep_grey(image):
            image = on_white(to_srgb(image, str(path)))
    if not _is_deep_grey(image):
        return np.asarray(image, np.float32) / 255
    grey = np.asarray(image, np.float32) / (1 if image.mode == "F" else 65535)
    if not (np.isfinite(grey).all() and grey.min() >= 0 and grey.max() <= 1):
        raise InputError(f"{path}: grey values beyond 16 bits (or, in floating point, beyond 0 to 1); save it as PNG")
    return np.repeat(grey[..., None], 3, axis=-1)


def open_picture(path: str | os.PathLike[str], max_megapixels: int | float = MAX_MEGAPIXELS) -> Image.Image:
    """Open a picture file and decode its pixels as they are stored (mode and orientation unchanged).

    Raises:
        InputError: no such file, not a picture, damaged, or too large.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    with _decoding(path):
        image = Image.open(path, formats=_known_formats())
    with image:
        check_megapixels(image.width, image.height, max_megapixels, path)
        with _decoding(path):
            image.load()
    return image


def photo_size(path: str | os.PathLike[str], *, as_stored: bool = False) -> tuple[int, int]:
    """Rows and columns of what `read_photo` would return, from the file's header.

    Raises:
        InputError: no such file, or not a picture.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    with _decoding(path), Image.open(path, formats=_known_formats()) as image:
        turned = not as_stored and exif_orientation(image, Path(path)) in {5, 6, 7, 8}
        return (image.width, image.height) if turned else (image.height, image.width)


def is_stored_upright(path: str | os.PathLike[str]) -> bool:
    """Whether a picture's pixels are stored as they are to be seen: without an EXIF rotation.

    Raises:
        InputError: no such file, or not a picture.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    with _decoding(path), Image.open(path, formats=_known_formats()) as image:
        return image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9)


def check_megapixels(width: int, height: int, max_megapixels: int | float, path: str | os.PathLike[str]) -> None:
    """Raise an InputError if width x height is empty or beyond `max_megapixels`."""
    if width < 1 or height < 1:
        raise InputError(f"{path}: the picture is empty ({width}x{height})")
    if width * height > max_megapixels * 1e6:
        raise InputError(
            f"{path}: {width}x{height} is {width * height / 1e6:.0f} megapixels, more than {max_megapixels:g}; "
            "make it smaller first"
        )


def to_bytes(picture: Float[np.ndarray, "*n 3"]) -> Shaped[np.ndarray, "*n 3"]:
    """Pictures in [0, 1] as uint8, rounded to nearest; values outside are clipped.

    >>> to_bytes(np.array([[0.0, 0.5, 1.2]], np.float32))
    array([[  0, 128, 255]], dtype=uint8)

    Raises:
        InputError: a value is not finite: it would turn into an arbitrary colour.
    """
    if not np.isfinite(picture).all():
        raise InputError("the picture holds values that are not finite; run in float32")
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def as_float(picture: Float[np.ndarray, "*n"] | UInt8[np.ndarray, "*n"]) -> Float[np.ndarray, "*n"]:
    """Bytes as float32 in [0, 1]; what is floating point already stays as it is."""
    return picture / np.float32(255) if picture.dtype == np.uint8 else picture


def _known_formats() -> list[str]:
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


@contextmanager
def _decoding(path: str | os.PathLike[str]) -> Iterator[None]:
    """Around calls into Pillow alone: whatever it raises on damaged bytes becomes an InputError of one line."""
    try:
        with warnings.catch_warnings():
            # It warns of large pictures and damaged metadata; size is judged here, metadata does not matter.
            warnings.simplefilter("ignore")
            yield
    except Image.DecompressionBombError as error:
        raise InputError(f"{path}: the picture is too large; make it smaller first") from error
    except Image.UnidentifiedImageError as error:
        refuse_pointer(path)
        if _is_heic(path):
            raise InputError(f"{path}: HEIC pictures cannot be read; convert them to JPEG or PNG") from error
        raise InputError(f"{path}: not a picture this can read; save it as JPEG or PNG") from error
    except Exception as error:  # decoders raise almost anything
        reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
        raise InputError(f"{path}: the picture cannot be read ({reason}); export it again") from error


def _is_heic(path: str | os.PathLike[str]) -> bool:
    """Whether a file says that it is what recent phones write, whatever its name."""
    with Path(path).open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" and head[8:12] in {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"}


def _is_deep_grey(image: Image.Image) -> bool:
    """Whether 8 bits would lose something."""
    return image.mode in {"I", "F"} or image.mode.startswith("I;16")


def on_white(image: Image.Image) -> Image.Image:
    """The picture in RGB; what is transparent shows white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def exif_focal(path: str | os.PathLike[str]) -> float | None:
    """Focal length over the upright picture's width, where the camera recorded its 35 mm equivalent; else None.

    The equivalent is by the diagonal, which of 36 x 24 mm is 43.27 mm (CIPA DCG-001), whatever the picture's shape.
    Only the file's header is read.

    Raises:
        InputError: no such file, or not a picture.
    """
    height, width = photo_size(path)
    with _decoding(path), Image.open(path, formats=_known_formats()) as image:
        recorded = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.FocalLengthIn35mmFilm)
    if not isinstance(recorded, int | float) or not recorded > 0:
        return None
    return float(recorded) / math.hypot(36, 24) * math.hypot(height, width) / width
