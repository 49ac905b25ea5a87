"""Whether a video file is all there, where its decoder would not tell: it takes the end of the file for the end."""

from typing import BinaryIO

_SEGMENT = b"\x18\x53\x80\x67"
_EBML = b"\x1a\x45\xdf\xa3"


def is_cut_short(file: BinaryIO) -> bool:
    """Whether an .avi, .mkv or .webm is shorter than it says; the place in the file is kept.

    False where nothing says, and for other kinds: an .mp4 or .mov without its end is noticed when it is read.
    """
    start = file.tell()
    length = file.seek(0, 2)
    file.seek(0)
    said = _said_length(file.read(4096))
    file.seek(start)
    return said is not None and said > length


def _said_length(head: bytes) -> int | None:
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return 8 + int.from_bytes(head[4:8], "little")
    if head[:4] != _EBML:
        return None
    size, begins = _ebml_size(head, 4)
    if size is None or head[begins + size : begins + size + 4] != _SEGMENT:
        return None
    size, begins = _ebml_size(head, begins + size + 4)
    return None if size is None else begins + size


def _ebml_size(head: bytes, at: int) -> tuple[int | None, int]:
    """A size as EBML writes it (RFC 8794): leading zero bits say how many bytes follow; all ones: unknown.

    Returns:
        the size, and where what it is of begins.
    """
    first = head[at] if at < len(head) else 0
    count = 9 - first.bit_length()
    if count > 8:
        return None, at
    bits = 7 * count
    size = int.from_bytes(head[at : at + count], "big") & (2**bits - 1)
    return (None if size == 2**bits - 1 else size), at + count
