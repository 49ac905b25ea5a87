"""Scale and shift of disparity maps, fitted robustly: to each other over a video, or to points of known depth.

Estimators give inverse depth up to a scale and a shift that change from picture to picture. What moves, and what the
estimator got wrong, are outliers to the fits.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

_ROUNDS = 40
_GRID = 96
"""Pixels along the longer side that a video's fits look at: two numbers a frame need no more."""

Line = tuple[Float[Array, "*n"], Float[Array, "*n"]]
"""Scale and shift."""


@jax.jit
def fit_line(x: Float[Array, "n"], y: Float[Array, "n"], seen: Bool[Array, "n"]) -> Line:
    """Scale a > 0 and shift b of y ~ a x + b, whatever a minority of the points says.

    Iteratively reweighted least squares: first for the sum of absolute residuals, then for Tukey's biweight, which
    leaves out what lies farther off than 4.7 standard deviations of the rest.

    Args:
        x: values to fit.
        y: what they should be.
        seen: which points count.

    Returns:
        Both numbers. Where x does not vary, or falls with y, only the shift is fitted; without any point, a = 1, b = 0.

    >>> a, b = fit_line(jnp.arange(8.0), jnp.arange(8.0).at[3].set(99) * 2 + 1, jnp.ones(8, bool))
    >>> round(float(a), 3), round(float(b), 3)
    (2.0, 1.0)
    """
    some = seen.any()
    x_middle, x_unit = _standard(x, seen)
    y_middle, y_unit = _standard(y, seen)
    u, v = (x - x_middle) / x_unit, (y - y_middle) / y_unit

    def residual(line: Array) -> Array:
        return v - line[0] * u - line[1]

    def absolute(_: Array, line: Array) -> Array:
        return _weighted(u, v, seen / jnp.maximum(jnp.abs(residual(line)), 1e-4))

    def biweight(_: Array, line: Array) -> Array:
        off = jnp.abs(residual(line))
        width = 4.685 * 1.4826 * jnp.maximum(_median(off, seen), 1e-5)
        return _weighted(u, v, seen * jnp.square(jnp.maximum(1 - jnp.square(off / width), 0)))

    line = lax.fori_loop(0, _ROUNDS, absolute, jnp.array([1.0, 0.0], x.dtype))
    line = lax.fori_loop(0, _ROUNDS, biweight, line)
    scale = line[0] * y_unit / x_unit
    varies = (x_unit > 1e-6 * jnp.maximum(jnp.abs(x_middle), 1e-30)) & (line[0] > 1e-3)
    scale = jnp.where(varies, scale, 1)
    shift = jnp.where(varies, y_middle + line[1] * y_unit - scale * x_middle, y_middle - x_middle)
    return jnp.where(some, scale, 1), jnp.where(some, shift, 0)


@jax.jit
def align_video(disparity: Float[Array, "f h w"]) -> Float[Array, "f h w"]:
    """Maps of a camera that stands still, in one scale and shift: that of the first.

    Every frame is fitted to the one before it, pixel by pixel, and these lines are chained. The median over time of
    what results is the scene without what moves through it; to that each frame is fitted once more, so that errors do
    not add up along the chain.

    Args:
        disparity: not negative, each frame with its own scale and shift.

    Returns:
        Maps whose static parts agree; what falls below 0 is 0.

    >>> still = jnp.linspace(1.0, 2.0, 64).reshape(1, 8, 8)
    >>> both = align_video(jnp.concatenate([still, 3 * still + 1]))
    >>> bool(jnp.allclose(both[1], both[0], atol=1e-4))
    True
    """
    step = max(1, -(-max(disparity.shape[1:]) // _GRID))
    points = disparity[:, step // 2 :: step, step // 2 :: step].reshape(len(disparity), -1)
    seen = jnp.ones(points.shape[1:], bool)
    to_previous = jax.vmap(partial(fit_line, seen=seen))(points[1:], points[:-1])
    first = (jnp.ones(1, points.dtype), jnp.zeros(1, points.dtype))
    lines = tuple(jnp.concatenate(pair) for pair in zip(first, to_previous, strict=True))
    scale, shift = lax.associative_scan(_after, lines)
    still = jnp.median(scale[:, None] * points + shift[:, None], axis=0)
    scale, shift = jax.vmap(partial(fit_line, y=still, seen=seen))(points)
    # The median's own scale and shift are nobody's: the first frame keeps its numbers.
    scale, shift = scale / scale[0], (shift - shift[0]) / scale[0]
    return jnp.maximum(scale[:, None, None] * disparity + shift[:, None, None], 0)


@jax.jit
def align_to_depth(
    disparity: Float[Array, "h w"], depth: Float[Array, "h w"], seen: Bool[Array, "h w"]
) -> Float[Array, "h w"]:
    """Depth of a map of unknown scale and shift, by a known one, such as that of another view carried to this one.

    Args:
        disparity: of unknown scale and shift.
        depth: z in scene units.
        seen: where it is known.

    Returns:
        Depth in scene units, at most four times that of the farthest pixels (all but a fiftieth of them).

    >>> depth = jnp.linspace(1.0, 2.0, 64).reshape(8, 8)
    >>> found = align_to_depth(3 / depth + 5, depth, depth < 1.5)
    >>> bool(jnp.allclose(found, depth, rtol=1e-3))
    True
    """
    known = (seen & jnp.isfinite(depth) & (depth > 0)).ravel()
    return _fitted(disparity, disparity.ravel(), jnp.where(known, depth.ravel(), 1), known)


@jax.jit
def align_to_points(
    disparity: Float[Array, "h w"], xy: Float[Array, "n 2"], depth: Float[Array, "n"], seen: Bool[Array, "n"]
) -> Float[Array, "h w"]:
    """Depth of a map of unknown scale and shift, by sparse points such as COLMAP's.

    Args:
        disparity: of unknown scale and shift.
        xy: where the points are, in pixels; (0, 0) is the centre of the first pixel.
        depth: z of the points in this camera, in scene units.
        seen: which of them count; those outside the picture or behind the camera never do.

    Returns:
        Depth in scene units, at most four times that of the farthest points (all but a fiftieth of them).

    >>> disparity = jnp.linspace(0.5, 1.0, 16).reshape(4, 4)
    >>> xy = jnp.array([[0.0, 0.0], [3.0, 0.0], [1.0, 2.0], [3.0, 3.0]])
    >>> depth = 2 / disparity[xy[:, 1].astype(int), xy[:, 0].astype(int)]
    >>> found = align_to_points(disparity, xy, depth, jnp.ones(4, bool))
    >>> bool(jnp.allclose(found, 2 / disparity, rtol=1e-3))
    True
    """
    height, width = disparity.shape
    column, row = jnp.round(xy[:, 0]).astype(int), jnp.round(xy[:, 1]).astype(int)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    known = seen & inside & (depth > 0)
    values = disparity[jnp.clip(row, 0, height - 1), jnp.clip(column, 0, width - 1)]
    return _fitted(disparity, values, jnp.where(known, depth, 1), known)


def _fitted(
    disparity: Float[Array, "h w"], values: Float[Array, "n"], depth: Float[Array, "n"], known: Bool[Array, "n"]
) -> Float[Array, "h w"]:
    """Depth of the map by what is known of some of its values."""
    inverse = 1 / depth
    scale, shift = fit_line(values, inverse, known)
    farthest = jnp.nan_to_num(jnp.nanpercentile(jnp.where(known, inverse, jnp.nan), 2), nan=1e-6)
    return 1 / jnp.maximum(scale * disparity + shift, farthest / 4)


def _after(first: Line, second: Line) -> Line:
    """The line that applies `second`, then `first`."""
    return first[0] * second[0], first[0] * second[1] + first[1]


def _weighted(x: Array, y: Array, weights: Array) -> Array:
    """Weighted least squares: scale and shift."""
    total = jnp.maximum(weights.sum(), 1e-30)
    x_mean, y_mean = (weights * x).sum() / total, (weights * y).sum() / total
    spread = (weights * jnp.square(x - x_mean)).sum()
    scale = (weights * (x - x_mean) * (y - y_mean)).sum() / jnp.maximum(spread, 1e-12 * total)
    return jnp.stack([scale, y_mean - scale * x_mean])


def _standard(values: Array, seen: Array) -> tuple[Array, Array]:
    """Median and spread, by which values become numbers near 1."""
    middle = _median(values, seen)
    off = jnp.where(seen, jnp.abs(values - middle), 0)
    unit = jnp.maximum(_median(off, seen), 0.1 * off.sum() / jnp.maximum(seen.sum(), 1))
    return middle, jnp.maximum(unit, 1e-30)


def _median(values: Array, seen: Array) -> Array:
    return jnp.nan_to_num(jnp.nanmedian(jnp.where(seen, values, jnp.nan)))
