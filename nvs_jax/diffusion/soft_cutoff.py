"""Where a soft selection ends, so that it takes exactly the share it is asked for: the root of one equation a frame."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

_LEAST = 1e-6  # of a share, and of what is left of it: less than one value of a million
_LARGEST_LOG_ODDS, _INTERVALS = 10.0, 32


def soft_cutoff(
    difference: Float[Array, "b f h w c"],
    known: Float[Array, "#b f h w"],
    w: Float[Array, "f #h #w"],
    temperature: float | Float[Array, ""],
) -> Float[Array, "b f #h #w"]:
    """c of each frame with mean(sigmoid((c - d) / T)) = w, the mean over the frame's values weighted by `known`.

    The left side rises with c from 0 to 1, and is smooth in c and d: so is c, by the implicit function theorem, with
    dc/dw = 1 / mean(s (1 - s) / T). With a w of each cell the frame's c is a function of w, made from its roots at
    33 values of log(w / (1 - w)) by cubics that have its slopes there; the share is then w to one in a hundred.

    Args:
        difference: d of every value.
        known: how much each cell counts; 0 in holes.
        w: shares in [0, 1]; of 0 and 1, which have no c, it is that of the nearest share that has one.
        temperature: T > 0, in units of d.
    """
    b, f, *_, channels = difference.shape
    weight = jnp.broadcast_to(known[..., None], (*known.shape, channels)).reshape(-1, f, difference[0, 0].size)
    weight = weight / jnp.maximum(weight.sum(-1, keepdims=True), 1.0)
    d = difference.reshape(b, f, -1)
    if w.shape[1:] == (1, 1):
        return _root(d, weight, w[..., 0], temperature)[..., None]
    return _interpolated(d, weight, w, temperature)


def _share(
    d: Float[Array, "b f n"], weight: Float[Array, "#b f n"], c: Float[Array, "b f k"], temperature: float | Array
) -> Float[Array, "b f k"]:
    """Of all values, weighted, what a cutoff takes."""
    taken = jax.nn.sigmoid((c[..., None] - d[..., None, :]) / temperature)
    return (weight[..., None, :] * taken).sum(-1)


def _root(
    d: Float[Array, "b f n"], weight: Float[Array, "#b f n"], w: Float[Array, "f k"], temperature: float | Array
) -> Float[Array, "b f k"]:
    w = jnp.clip(w, _LEAST, 1 - _LEAST)

    def excess(c: Array) -> Array:
        return _share(d, weight, c, temperature) - w

    def bisect(excess, guess: Array) -> Array:
        # Were all differences the smallest, or the largest, this would be c.
        shift = temperature * (jnp.log(w) - jnp.log1p(-w))
        low = jnp.broadcast_to(d.min(-1, keepdims=True) + shift, guess.shape)
        high = jnp.broadcast_to(d.max(-1, keepdims=True) + shift, guess.shape)

        def halve(_, interval):
            low, high = interval
            middle = (low + high) / 2
            above = excess(middle) > 0
            return jnp.where(above, low, middle), jnp.where(above, middle, high)

        halvings = jnp.finfo(d.dtype).nmant + 17  # until the digits are used up, those of small differences too
        low, high = lax.fori_loop(0, halvings, halve, (low, high))
        return (low + high) / 2

    def divide(slope, y: Array) -> Array:
        # Each c is in its own equation alone. Where nothing is known there is no equation.
        rise = slope(jnp.ones_like(y))
        return jnp.where(rise > 0, y / jnp.where(rise > 0, rise, 1.0), 0.0)

    return lax.custom_root(excess, jnp.zeros((*d.shape[:2], w.shape[-1]), d.dtype), bisect, divide)


def _interpolated(
    d: Float[Array, "b f n"], weight: Float[Array, "#b f n"], w: Float[Array, "f h w"], temperature: float | Array
) -> Float[Array, "b f h w"]:
    nodes = jnp.linspace(-_LARGEST_LOG_ODDS, _LARGEST_LOG_ODDS, _INTERVALS + 1, dtype=d.dtype)
    width = 2 * _LARGEST_LOG_ODDS / _INTERVALS
    shares = jnp.broadcast_to(jax.nn.sigmoid(nodes), (d.shape[1], len(nodes)))
    c = _root(d, weight, shares, temperature)
    _, rise = jax.jvp(lambda c: _share(d, weight, c, temperature), (c,), (jnp.ones_like(c),))
    slope = jnp.where(rise > 0, shares * (1 - shares) / jnp.where(rise > 0, rise, 1.0), 0.0)

    w = jnp.clip(w, _LEAST, 1 - _LEAST)
    at = jnp.clip(jnp.log(w) - jnp.log1p(-w), nodes[0], nodes[-1])
    place = (at - nodes[0]) / width
    left = jnp.clip(jnp.floor(place).astype(jnp.int32), 0, _INTERVALS - 1)
    t = place - left

    def take(values: Float[Array, "b f k"], index: Array) -> Float[Array, "b f h w"]:
        flat = jnp.broadcast_to(index.reshape(1, len(index), -1), (len(values), len(index), index[0].size))
        return jnp.take_along_axis(values, flat, axis=-1).reshape(len(values), *index.shape)

    start, end = take(c, left), take(c, left + 1)
    leaving, arriving = width * take(slope, left), width * take(slope, left + 1)
    cubic = 2 * (start - end) + leaving + arriving
    return start + t * (leaving + t * (3 * (end - start) - 2 * leaving - arriving + t * cubic))
