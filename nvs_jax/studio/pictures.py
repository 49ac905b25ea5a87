"""Pictures of a session: its points and depth, the curve of holes, the strip of frames. No browser here."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, UInt8
from PIL import Image, ImageDraw

from nvs_jax.geometry.surfaces import known_inverse, tears
from nvs_jax.media import depth_picture, to_bytes
from nvs_jax.media.cameras import point_cloud
from nvs_jax.media.cameras.views import to_corner
from nvs_jax.studio.session import Session
from nvs_jax.studio.warps import HOLE, INVENTED

_CURVE = (90, 320)
_THUMBNAIL = 80
"""Columns of a frame in the strip."""
_COLUMNS = 5

Picture = UInt8[np.ndarray, "rows columns 3"]


class Points(NamedTuple):
    """What the given views show, in world coordinates.

    Attributes:
        positions: of each point.
        colours: of each, as bytes.
    """

    positions: Float[np.ndarray, "n 3"]
    colours: UInt8[np.ndarray, "n 3"]


def points_of(session: Session, *, torn: bool = True) -> Points:
    """The points of all given views, of a video those of its first frame.

    Args:
        session: whose.
        torn: leave out those at edges, which lie on no surface: the warp shows nothing of them either.
    """
    view, sources = session.scene.view, session.scene.sources
    views = [(view.picture, view.depth, view.intrinsics, session.track.poses[0])]
    if sources is not None:
        views = list(zip(*(np.asarray(array) for array in sources), strict=True))
    parts = []
    for picture, depth, lens, pose in views:
        left = on_edges(session, depth, lens) if torn else np.zeros(depth.shape, bool)
        kept = np.where(left, np.inf, depth)
        parts.append(point_cloud(picture, kept, to_corner(np.asarray(lens, np.float64)), np.asarray(pose, np.float64)))
    return Points(*(np.concatenate(kind) for kind in zip(*parts, strict=True)))


def on_edges(
    session: Session, depth: Float[np.ndarray, "h w"], intrinsics: Float[np.ndarray, "3 3"]
) -> Bool[np.ndarray, "h w"]:
    """Pixels on either side of a jump in depth, by `warp.max_tilt`."""
    tilt = session.settings.warp.max_tilt
    if tilt is None:
        return np.zeros(depth.shape, bool)
    lens = jnp.asarray(intrinsics, jnp.float32)
    return np.asarray(_edges(jnp.asarray(depth), lens, tilt))


def depth_beside(session: Session) -> Picture:
    """The first given view and its depth, near bright; pixels that the warp leaves out in the colour of holes."""
    view = session.scene.view
    depth = depth_picture(np.where(np.isfinite(view.depth), view.depth, 0))
    left = on_edges(session, view.depth, view.intrinsics)
    return to_bytes(
        np.concatenate([view.picture, np.where(left[..., None], np.array(HOLE, np.float32), depth)], axis=1)
    )


def curve(shares: Float[np.ndarray, "f"], number: int) -> Picture:
    """Share of holes by frame, those that are mostly invented marked, and a line at the frame that is looked at."""
    height, width = _CURVE
    picture = Image.new("RGB", (width, height), (24, 26, 32))
    draw = ImageDraw.Draw(picture)
    column = (width - 1) / len(shares)
    for index, share in enumerate(shares):
        colour = tuple(int(255 * part) for part in HOLE) if share > INVENTED else (110, 160, 220)
        top = (1 - float(share)) * (height - 1)
        draw.rectangle((index * column, top, (index + 1) * column - 1, height), fill=colour)
    draw.line((0, height / 2, width, height / 2), fill=(90, 90, 90))
    draw.line(((number + 0.5) * column, 0, (number + 0.5) * column, height), fill=(255, 220, 90))
    return np.asarray(picture)


def strip_of(pictures: UInt8[np.ndarray, "f h w 3"], count: int = 2 * _COLUMNS, width: int = _THUMBNAIL) -> Picture:
    """A few frames, evenly along the path, in rows of five, each so many pixels wide."""
    chosen = np.unique(np.linspace(0, len(pictures) - 1, count).round().astype(int))
    height = max(1, round(pictures.shape[1] * width / pictures.shape[2]))
    small = [np.asarray(Image.fromarray(pictures[index]).resize((width, height))) for index in chosen]
    small += [np.zeros_like(small[0])] * (-len(small) % _COLUMNS)
    rows = [np.concatenate(small[at : at + _COLUMNS], axis=1) for at in range(0, len(small), _COLUMNS)]
    return np.concatenate(rows)


def enlarged(picture: UInt8[np.ndarray, "h w 3"], columns: int = 320) -> Picture:
    """A small picture with every pixel repeated, so that it is about so many columns wide, and not more.

    >>> enlarged(np.zeros((3, 100, 3), np.uint8)).shape, enlarged(np.zeros((3, 400, 3), np.uint8)).shape
    ((9, 300, 3), (3, 400, 3))
    """
    by = max(1, columns // picture.shape[1])
    return picture.repeat(by, 0).repeat(by, 1)


@partial(jax.jit, static_argnames="tilt")
def _edges(depth: Float[Array, "h w"], intrinsics: Float[Array, "3 3"], tilt: float) -> Bool[Array, "h w"]:
    return tears(known_inverse(depth, intrinsics, tilt), intrinsics, tilt)
