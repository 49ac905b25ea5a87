"""Several pictures on one sheet, each with its label above it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nvs_jax.media.photo import Picture, to_bytes

LabelledPicture = tuple[str, Picture]


def contact_sheet(rows: Sequence[Sequence[LabelledPicture]], *, gap: int = 8, text: int = 16) -> Picture:
    """Lay labelled pictures out in rows, on white. They keep their sizes; a column is as wide as its widest picture.

    Args:
        rows: each row a sequence of (label, picture [h, w, 3]); rows may differ in length.
        gap: pixels around every picture.
        text: height of the labels in pixels.

    Returns:
        the sheet [H, W, 3].

    >>> grey = np.full((48, 64, 3), 0.5, np.float32)
    >>> contact_sheet([[("given", grey), ("warped", grey)], [("result", grey)]]).shape
    (160, 152, 3)
    """
    columns = range(max(len(row) for row in rows))
    widths = [max(row[i][1].shape[1] for row in rows if i < len(row)) for i in columns]
    heights = [max(picture.shape[0] for _, picture in row) for row in rows]
    line = text + gap
    sheet = Image.new("RGB", (sum(widths) + gap * (len(widths) + 1), sum(heights) + (line + gap) * len(rows)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(text)
    y = 0
    for row, height in zip(rows, heights, strict=True):
        x = gap
        for (label, picture), width in zip(row, widths, strict=False):
            draw.text((x + width / 2, y + line / 2), _shortened(label, font, width), "black", font, anchor="mm")
            sheet.paste(Image.fromarray(to_bytes(picture)), (x, y + line))
            x += width + gap
        y += line + height + gap
    return np.asarray(sheet, np.float32) / 255


def _shortened(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The label, cut to a width in pixels: it must not run into its neighbour's."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(label + "…") > width:
        label = label[:-1]
    return label + "…"
