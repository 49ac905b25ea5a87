"""Procedural textures: stripes, checkers, tiles, dots, waves, marble and a painted sky.

Every pattern is a function of a point in the solid's own axes, so it moves with the solid and has no seams. It is
averaged over the pixel's footprint (`width`): edges are as soft as the pixel is wide, detail finer than a pixel fades
to its mean, and nothing aliases at any resolution.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.scenes.natural import Natural, natural_weights
from nvs_jax.scenes.noise import hashed, octaves_of_noise, scatter, value_noise
from nvs_jax.scenes.vectors import Vector, dot, greatest, normalize

PATTERNS = ("checker", "stripes", "tiles", "dots", "waves", "marble", "sky")
_OCTAVES = 3
_INSIDE = 0.3  # coordinate across a flat face, in cells: away from every edge of every pattern


class Material(NamedTuple):
    """n materials: colours are linear RGB in [0, 1].

    Attributes:
        pattern: index into PATTERNS.
        colours: the two that the pattern alternates between and the third of its lines, dots or veins.
        scale: cells per scene unit along each texture axis.
        origin: of the texture, in cells.
        slant: of stripes.
        softness: width of edges, in cells.
        wear: strength of the uneven brightness that keeps areas from being flat.
        gloss: strength of highlights.
        shininess: their exponent (Blinn).
        mirror: share of the surroundings that is reflected.
        natural: what takes the place of the pattern, as in photographs; None: nothing in the whole scene.
    """

    pattern: Int[Array, "n"]
    colours: Float[Array, "n 3 3"]
    scale: Float[Array, "n 3"]
    origin: Float[Array, "n 3"]
    slant: Float[Array, "n"]
    softness: Float[Array, "n"]
    wear: Float[Array, "n"]
    gloss: Float[Array, "n"]
    shininess: Float[Array, "n"]
    mirror: Float[Array, "n"]
    natural: Natural | None = None


def pulse(x: Float[Array, "*n"], width: Float[Array, "*n"], duty: float) -> Float[Array, "*n"]:
    """A wave of period 1 that is 1 on [0, duty) and 0 elsewhere, averaged over `width` around x."""

    def integral(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
        whole = jnp.floor(x)
        return whole * duty + jnp.minimum(x - whole, duty)

    return (integral(x + width / 2) - integral(x - width / 2)) / width


def smoothstep(low: float, high: float, x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """0 below `low`, 1 above `high`, smooth between; falling where low > high."""
    x = jnp.clip((x - low) / (high - low), 0, 1)
    return x * x * (3 - 2 * x)


def fractal_noise(p: Float[Array, "3 r"], width: Float[Array, "r"]) -> Float[Array, "r"]:
    """Octaves of noise about 0, the first within +-1/2, each next of half that; those finer than `width` fade away."""
    frequency = 2.0 ** jnp.arange(_OCTAVES, dtype=p.dtype)[:, None]
    fade = smoothstep(0.9, 0.3, width * frequency) / frequency
    return (fade * octaves_of_noise(p, _OCTAVES, 17.7)).sum(0)


def _patterns(
    p: Vector, width: Vector, noise: Float[Array, "r"], slant: Float[Array, "r"]
) -> list[tuple[Array, Array]]:
    """Weights (second colour, third colour) of each pattern but the sky, in the order of PATTERNS."""
    broad = greatest(width)
    square = 2 * pulse(p, width, 0.5) - 1
    checker = 0.5 + 0.5 * square[0] * square[1] * square[2]

    along = p[0] + slant * (p[1] + p[2])
    across = width[0] + jnp.abs(slant) * (width[1] + width[2])
    stripes = pulse(along, across, 0.5), pulse(along + 0.81, across, 0.12)

    row = jnp.floor(p[1]) + jnp.floor(p[2])
    shifted = jnp.stack([p[0] + 0.5 * jnp.mod(row, 2), p[1], p[2]])
    gap = pulse(shifted + 0.03, width, 0.06)
    joints = 1 - (1 - gap[0]) * (1 - gap[1]) * (1 - gap[2])
    x, y, z = scatter(jnp.floor(shifted))
    tint = 0.5 + (hashed(x ^ y ^ z) - 0.5) * smoothstep(1.0, 0.3, broad)

    from_centre = p - jnp.floor(p) - 0.5
    radius = jnp.sqrt(dot(from_centre, from_centre))
    disc = 0.5 - jnp.clip((radius - 0.36) / (1.5 * broad), -0.5, 0.5)
    share = smoothstep(1.0, 0.4, broad)
    disc = 0.35 + (disc - 0.35) * share

    waves = pulse(0.7 * p[0] + 1.6 * noise, 1.5 * broad, 0.5)
    ramp = smoothstep(-0.35, 0.35, noise)
    vein = smoothstep(0.07, 0.0, jnp.abs(noise - 0.08)) * smoothstep(0.6, 0.2, broad)
    none = jnp.zeros_like(noise)
    return [(checker, none), stripes, (tint, joints), (none, disc), (waves, none), (ramp, 0.8 * vein)]


def _sky(point: Vector, ridge: Float[Array, "r"], clouds: Float[Array, "r"], colours: Array) -> Float[Array, "3 r"]:
    """Clouds over two ranges of hills, as seen from the origin; `colours` are those of horizon, zenith and hills."""
    horizon, zenith, hills = colours
    rise = -point[1] / jnp.sqrt(point[0] ** 2 + point[2] ** 2 + 1e-6)
    air = horizon + (zenith - horizon) * (1 - jnp.exp(-2.5 * jnp.maximum(rise, 0)))
    air = air + (1 - air) * (0.9 * smoothstep(0.0, 0.3, clouds) * smoothstep(0.05, 0.3, rise))
    mist = smoothstep(0.12, -0.12, rise)
    for top, distance in ((0.08 + 0.24 * ridge, 0.55), (0.17 - 0.2 * ridge, 0.15)):
        hill = hills + (horizon - hills) * (distance + (1 - distance) * mist)
        air = air + (hill - air) * smoothstep(-0.004, 0.004, top - rise)
    return air


def texture(
    material: Material,
    local: Float[Array, "3 r"],
    width: Float[Array, "3 r"],
    axis: Bool[Array, "3 r"],
    point: Float[Array, "3 r"],
) -> Float[Array, "3 r"]:
    """Diffuse colour, linear RGB.

    Args:
        material: one per ray, with its components first (rays are the last axis of every field).
        local: point in the solid's axes, scene units.
        width: extent of the pixel on the surface along those axes, scene units.
        axis: one-hot along the normal of a flat face, all False on a round one: the pattern is flat there.
        point: the same point in the world; the sky has its horizon at the height of the origin.
    """
    turned = axis[0]  # on faces across x, x and z change places, so that rows are always along the first axis
    p, width, axis = (
        jnp.stack([jnp.where(turned, a[2], a[0]), a[1], jnp.where(turned, a[0], a[2])]) for a in (local, width, axis)
    )
    cells = jnp.where(axis, _INSIDE, p * material.scale + material.origin)
    soft = jnp.sqrt(jnp.where(axis, 0, width * material.scale) ** 2 + material.softness**2)

    is_sky = material.pattern == PATTERNS.index("sky")
    around = normalize(point)
    noise = fractal_noise(
        jnp.where(is_sky, around * jnp.asarray([[3.0], [8.0], [3.0]]), cells) + material.origin,
        greatest(soft) * ~is_sky,
    )
    ridge = value_noise(jnp.stack([7 * around[0], 0 * around[1], 7 * around[2]]) + material.origin)

    second = third = jnp.zeros_like(noise)
    for number, (a, b) in enumerate(_patterns(cells, soft, noise, material.slant)):
        chosen = material.pattern == number
        second, third = jnp.where(chosen, a, second), jnp.where(chosen, b, third)
    if material.natural is not None:
        natural = natural_weights(material.natural, cells, greatest(soft))
        second, third = (
            jnp.where(material.natural.kind > 0, new, old) for new, old in zip(natural, (second, third), strict=True)
        )
    first, other, line = material.colours
    colour = first + (other - first) * second
    colour = (colour + (line - colour) * third) * (1 + material.wear * noise)
    return jnp.where(is_sky, _sky(point, ridge, noise, material.colours), colour)
