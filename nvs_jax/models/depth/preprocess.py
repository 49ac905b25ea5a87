"""Pictures as Depth Anything sees them: `DPTImageProcessor`, which resizes 8-bit pictures with Pillow (no JAX here)."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError
from nvs_jax.media.photo import to_bytes

# A square picture has 37x37. Beyond this a picture is a ribbon, and its attention would take all memory.
_MOST_PATCHES = 2**14


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """preprocessor_config.json; the defaults are those of Depth Anything V2.

    Attributes:
        height: rows that a picture is brought near to.
        width: the same for columns.
        keep_aspect_ratio: whether both sides are scaled alike, by the factor that changes the picture less.
        ensure_multiple_of: rows and columns are rounded to multiples of this.
        resample: Pillow's number of the kernel: 3 is bicubic.
        image_mean: subtracted from each colour.
        image_std: what the difference is divided by.
    """

    height: int = 518
    width: int = 518
    keep_aspect_ratio: bool = True
    ensure_multiple_of: int = 14
    resample: int = Image.Resampling.BICUBIC.value
    image_mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    image_std: tuple[float, ...] = (0.229, 0.224, 0.225)


def input_size(height: int, width: int, settings: Preprocessing = Preprocessing()) -> tuple[int, int]:
    """Rows and columns that the network sees of a picture.

    >>> input_size(1080, 1920), input_size(480, 640), input_size(300, 300)
    ((518, 924), (518, 686), (518, 518))

    Raises:
        InputError: the picture is so long and narrow that nothing fits.
    """
    down, across = settings.height / height, settings.width / width
    if settings.keep_aspect_ratio:
        down = across = across if abs(1 - across) < abs(1 - down) else down
    multiple = settings.ensure_multiple_of
    # Never no patch at all: the published processor fails there.
    rows, columns = (
        max(round(scale * size / multiple), 1) * multiple for scale, size in ((down, height), (across, width))
    )
    if rows * columns > _MOST_PATCHES * 14**2:
        raise InputError(f"a picture of {width}x{height} is too long and narrow to estimate its depth: crop it")
    return rows, columns


def preprocess(
    picture: Float[np.ndarray, "H W 3"],
    settings: Preprocessing = Preprocessing(),
) -> Float[np.ndarray, "h w 3"]:
    """A picture in [0, 1] as the network takes it: resized in 8 bits, as the published processor does, and normalised.

    >>> preprocess(np.ones((30, 40, 3), np.float32)).shape
    (392, 518, 3)
    """
    rows, columns = input_size(picture.shape[0], picture.shape[1], settings)
    kernel = Image.Resampling(settings.resample)
    resized = np.asarray(Image.fromarray(to_bytes(picture)).resize((columns, rows), kernel))
    values = (resized / 255).astype(np.float32)
    return (values - np.asarray(settings.image_mean, np.float32)) / np.asarray(settings.image_std, np.float32)


def read_preprocessing(path: Path) -> Preprocessing:
    """Read a preprocessor_config.json; what Depth Anything V2 has where there is none.

    Raises:
        InputError: it is not JSON, or says something this port cannot express.
    """
    return parse_preprocessing(read_json(path), str(path)) if path.is_file() else Preprocessing()


def parse_preprocessing(published: dict[str, Any], where: str) -> Preprocessing:
    """The published JSON object; keys that are not there have the defaults of `DPTImageProcessor`.

    Raises:
        InputError: see `read_preprocessing`.
    """
    for name, expected in {"do_resize": True, "do_rescale": True, "do_normalize": True, "do_pad": False}.items():
        value = published.get(name)
        if value is not None and value is not expected:
            raise InputError(f"{where}: {name} is {json.dumps(value)}; this port knows {json.dumps(expected)} alone")
    if abs(_number(published.get("rescale_factor", 1 / 255), "rescale_factor", where) * 255 - 1) > 1e-6:
        raise InputError(f"{where}: rescale_factor must be 1/255")
    size = published.get("size", 384)
    size = size if isinstance(size, dict) else {"height": size, "width": size}
    kernel = published.get("resample", Preprocessing.resample)
    if kernel not in {entry.value for entry in Image.Resampling}:
        raise InputError(f"{where}: resample is {kernel!r}, which no kernel of Pillow's is")
    return Preprocessing(
        height=_count(size.get("height"), "size", where),
        width=_count(size.get("width"), "size", where),
        keep_aspect_ratio=published.get("keep_aspect_ratio") is True,
        ensure_multiple_of=_count(published.get("ensure_multiple_of", 1), "ensure_multiple_of", where),
        resample=int(kernel),
        image_mean=_colour(published.get("image_mean", [0.5] * 3), "image_mean", where),
        image_std=_colour(published.get("image_std", [0.5] * 3), "image_std", where),
    )


def _count(value: Any, name: str, where: str) -> int:
    if type(value) is not int or not 1 <= value <= 4096:
        raise InputError(f"{where}: {name} must be from 1 to 4096 pixels, not {value!r}")
    return value


def _colour(value: Any, name: str, where: str) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != 3:
        raise InputError(f"{where}: {name} must be three numbers, not {value!r}")
    return tuple(_number(entry, name, where) for entry in value)


def _number(value: Any, name: str, where: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or not 1e-6 <= abs(value) <= 1e6:
        raise InputError(f"{where}: {name} must be a finite number other than 0, not {value!r}")
    return float(value)
