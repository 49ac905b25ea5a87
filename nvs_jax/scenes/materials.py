"""Random materials in colours that go together: three hues a scene, light or dark against them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.scenes.draws import Draws
from nvs_jax.scenes.natural import KINDS, Natural
from nvs_jax.scenes.textures import PATTERNS, Material

_FLOORS = ("checker", "tiles", "stripes", "tiles")
_WALLS = ("stripes", "tiles", "dots", "marble", "tiles")
_CEILINGS = ("marble", "tiles")
_SHARE = 0.8
_NATURAL = ("cloudy", "cloudy", "leaves", "leaves", "writing")
_NATURAL_HUES = (0.12, 0.16, 0.22, 0.3, 0.38, 0.65)  # skin and wood, sand, straw, leaves, moss, slate
_OBJECTS = ("checker", "stripes", "tiles", "dots", "waves", "marble")


def oklch(lightness: Float[Array, "*n"], chroma: Float[Array, "*n"], hue: Float[Array, "*n"]) -> Float[Array, "*n 3"]:
    """Linear RGB in [0, 1] of a colour in OKLCH, where equal lightness looks equally light; one turn of hue is 1."""
    a, b = chroma * jnp.cos(2 * jnp.pi * hue), chroma * jnp.sin(2 * jnp.pi * hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return jnp.clip(jnp.stack([red, green, blue], -1), 0.003, 1)


def random_hues(draw: Draws) -> Float[Array, "3"]:
    """A scene's hues: one, its near opposite and one between."""
    first = draw.uniform((), 0, 1)
    return first + jnp.stack([0 * first, draw.uniform((), 0.4, 0.6), draw.uniform((), 0.14, 0.26)])


def object_materials(draw: Draws, hues: Float[Array, "3"], n: int, cells: tuple[float, float]) -> Material:
    """Materials for n solids, with that many cells of texture to a scene unit."""
    return Material(
        pattern=_choose(draw, _OBJECTS, n),
        colours=_palettes(draw, hues, n),
        scale=jnp.broadcast_to(draw.uniform((n, 1), *cells), (n, 3)),
        origin=draw.uniform((n, 3), 0, 50),
        slant=jnp.round(draw.uniform((n,), -1.49, 1.49)),
        softness=draw.uniform((n,), 0.03, 0.07),
        wear=draw.uniform((n,), 0.15, 0.5),
        gloss=draw.uniform((n,), 0.2, 0.8),
        shininess=draw.uniform((n,), 15, 80),
        mirror=draw.uniform((n,), 0.0, 0.5),
    )


def room_materials(draw: Draws, hues: Float[Array, "3"]) -> Material:
    """The faces of a room in the order x-, x+, ceiling, floor, z-, z+: opposite walls alike, all of them pale."""
    sides, ends = _choose(draw, _WALLS, 1), _choose(draw, _WALLS, 1)
    ceiling, floor = _choose(draw, _CEILINGS, 1), _choose(draw, _FLOORS, 1)
    role = jnp.asarray([0, 0, 1, 2, 3, 3])
    hue = jnp.stack([hues[0], hues[0], hues[1], hues[0] + 0.07])[role]
    light = jnp.asarray([0.8, 0.93, 0.68, 0.84], jnp.float32)[role]
    chroma = jnp.asarray([0.085, 0.02, 0.09, 0.08], jnp.float32)[role]
    other = hue + draw.uniform((4,), -0.08, 0.08)[role]
    first, second = oklch(light, chroma, hue), oklch(light - 0.12, 1.2 * chroma, other)
    third = oklch(light - 0.22, 1.2 * chroma, hue + 0.45)
    plain = object_materials(draw, hues, 6, (0.8, 1.7))
    return plain._replace(
        pattern=jnp.concatenate([sides, sides, ceiling, floor, ends, ends]),
        colours=jnp.stack([first, second, third], 1),
        slant=jnp.where(role == 2, plain.slant, 0),
        gloss=0.4 * plain.gloss,
        mirror=jnp.where(role == 2, 0.25, 0.05),
    )


def open_materials(draw: Draws, room: Material) -> Material:
    """The floor of a room under a painted sky, anything from blue noon to a pink evening."""
    warm = draw.uniform((), 0, 1)
    evening = (warm > 0.6).astype(jnp.float32)
    horizon = oklch(0.9 - 0.06 * evening, 0.035 + 0.06 * evening, 0.6 - 0.45 * evening)
    zenith = oklch(0.68 - 0.12 * warm, 0.12 + 0 * warm, 0.70 + 0.12 * evening)
    hills = oklch(draw.uniform((), 0.4, 0.52), draw.uniform((), 0.06, 0.1), draw.uniform((), 0.3, 0.85))
    sky = jnp.stack([horizon, zenith, hills])
    ground = jnp.arange(6) == 3
    return room._replace(
        pattern=jnp.where(ground, room.pattern, PATTERNS.index("sky")),
        colours=jnp.where(ground[:, None, None], room.colours, sky),
        origin=jnp.broadcast_to(room.origin[:1], (6, 3)),
    )


def natural_materials(draw: Draws, material: Material, natural: Bool[Array, ""]) -> Material:
    """In a natural scene most materials, but never the sky, as in photographs: earthy colours, kinds at random."""
    n = len(material.pattern)
    chosen = natural & (draw.uniform((n,), 0, 1) < _SHARE) & (material.pattern != PATTERNS.index("sky"))
    kind = draw.choice(jnp.asarray([KINDS.index(kind) for kind in _NATURAL], jnp.int32), n)
    hue = draw.choice(jnp.asarray(_NATURAL_HUES, jnp.float32), n) + draw.uniform((n,), -0.05, 0.05)
    light, chroma = draw.uniform((n,), 0.3, 0.85), draw.uniform((n,), 0.005, 0.1)
    apart = jnp.where(light > 0.55, -1.0, 1.0) * draw.uniform((n,), 0.15, 0.4)
    first, second = oklch(light, chroma, hue), oklch(light + apart, 0.8 * chroma, hue + 0.03)
    third = oklch(light + 0.5 * apart, chroma + 0.03, hue + draw.uniform((n,), -0.12, 0.12))
    writes = kind == KINDS.index("writing")
    third = jnp.where(writes[:, None], oklch(light + 1.5 * apart, chroma, hue), third)
    colours = jnp.where(chosen[:, None, None], jnp.stack([first, second, third], 1), material.colours)
    return material._replace(
        colours=colours,
        wear=jnp.where(chosen, 0.2 * material.wear, material.wear),
        natural=Natural(jnp.where(chosen, kind, 0), draw.uniform((n,), 0.6, 1.0)),
    )


def select(condition: Array, a: Material, b: Material) -> Material:
    """One or the other."""
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), a, b)


def _choose(draw: Draws, names: tuple[str, ...], n: int) -> Array:
    return draw.choice(jnp.asarray([PATTERNS.index(name) for name in names], jnp.int32), n)


def _palettes(draw: Draws, hues: Float[Array, "3"], n: int) -> Float[Array, "n 3 3"]:
    """A vivid colour of one hue, a light or a dark one of another, and a vivid accent."""

    def hue() -> Array:
        return draw.choice(hues, n) + draw.uniform((n,), -0.03, 0.03)

    base, other = hue(), hue()
    vivid = oklch(draw.uniform((n,), 0.55, 0.78), draw.uniform((n,), 0.12, 0.2), base)
    light = oklch(draw.uniform((n,), 0.9, 0.97), draw.uniform((n,), 0.01, 0.05), other)
    dark = oklch(draw.uniform((n,), 0.25, 0.4), draw.uniform((n,), 0.05, 0.1), other)
    second = jnp.where(draw.uniform((n, 1), 0, 1) < 0.6, light, dark)
    accent = oklch(draw.uniform((n,), 0.4, 0.85), draw.uniform((n,), 0.1, 0.18), base + 0.5)
    return jnp.stack([vivid, second, accent], 1)
