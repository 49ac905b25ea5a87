"""How a picture is to be turned, by its EXIF data, without decoding it."""

from pathlib import Path

from PIL import ExifTags, Image

_SIGNATURE = 8
_SAYS_MORE = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt"})


def exif_orientation(image: Image.Image, path: Path) -> int:
    """The EXIF orientation, 1 to 8, of an open picture; 1 where it has none.

    Pillow decodes a whole PNG to look for EXIF data behind its pixels. Here that is done only where there is something
    behind them.
    """
    everywhere = image.format != "PNG" or _says_more_behind(path)
    exif = image.getexif() if everywhere else Image.Image.getexif(image)
    return exif.get(ExifTags.Base.Orientation, 1)


def _says_more_behind(path: Path) -> bool:
    """Whether a PNG has chunks behind its pixels that may hold EXIF data."""
    with path.open("rb") as file:
        file.seek(_SIGNATURE)
        pixels = False
        while len(head := file.read(8)) == 8:
            pixels = pixels or head[4:] == b"IDAT"
            if pixels and head[4:] in _SAYS_MORE:
                return True
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)  # and its check sum
    return False
