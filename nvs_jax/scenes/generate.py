"""Random scenes: a seed becomes a room or an open place, furnished, coloured and lit."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import random
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.scenes.layout import Place, keys, random_geometry, random_place, uniform
from nvs_jax.scenes.scene import Scene
from nvs_jax.scenes.settings import SceneSettings
from nvs_jax.scenes.shading import Lights
from nvs_jax.scenes.textures import PATTERNS, Material

_FLOORS = ("checker", "tiles", "stripes", "tiles")
_WALLS = ("stripes", "tiles", "dots", "marble", "tiles")
_CEILINGS = ("marble", "tiles")
_OBJECTS = ("checker", "stripes", "tiles", "dots", "waves", "marble")


def random_scene(seed: int | Array, settings: SceneSettings = SceneSettings()) -> Scene:  # noqa: B008
    """A new scene for every seed; the same one for the same seed, on any back end.

    Args:
        seed: a number, or a key of `jax.random` (then this may be called under jit or vmap).
        settings: number of solids of each kind, and the like.
    """
    if isinstance(seed, int):
        if not 0 <= seed < 2**32:
            raise InputError(f"a scene's seed is a number from 0 to 2**32 - 1, not {seed}")
        seed = random.key(seed)
    return _random_scene(seed, settings)


@partial(jax.jit, static_argnames="settings")
def _random_scene(key: Array, settings: SceneSettings) -> Scene:
    draw = keys(key)
    place = random_place(next(draw), settings)
    hue = uniform(next(draw), (), 0, 1)
    geometry = random_geometry(next(draw), place, settings)
    room = _room_materials(next(draw), hue, place)
    boxes = _object_materials(next(draw), hue, len(geometry.boxes.radius), (1.2, 3.0))
    spheres = _object_materials(next(draw), hue, len(geometry.spheres.radius), (1.5, 3.5))
    capsules = _object_materials(next(draw), hue, len(geometry.capsules.radius), (1.5, 4.0))
    material = jax.tree.map(lambda *a: jnp.concatenate(a), room, boxes, spheres, capsules)
    return Scene(geometry, material, _lights(next(draw), place, room.colours[4, 0]))


def default_view(
    height: int,
    width: int,
    settings: SceneSettings = SceneSettings(),  # noqa: B008
) -> tuple[Float[Array, "4 4"], Float[Array, "3 3"]]:
    """Pose and intrinsics of the view that paths start from: on the orbit at (0, 0, radius), looking at the origin.

    Returns:
        World-to-camera pose with OpenCV axes, and intrinsics in pixels with the principal point at (width/2, height/2).
    """
    focal = width / 2 / math.tan(math.radians(settings.field_of_view) / 2)
    pose = jnp.diag(jnp.asarray([-1, 1, -1, 1], jnp.float32)).at[2, 3].set(settings.orbit_radius)
    return pose, jnp.asarray([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], jnp.float32)


def hsv(hue: Float[Array, "*n"], saturation: Float[Array, "*n"], value: Float[Array, "*n"]) -> Float[Array, "*n 3"]:
    """Linear RGB of a colour given by hue (one turn is 1), saturation and value as displayed."""
    wheel = jnp.abs(jnp.mod(hue[..., None] + jnp.asarray([0, 2 / 3, 1 / 3], jnp.float32), 1) * 6 - 3) - 1
    shown = value[..., None] * (1 + saturation[..., None] * (jnp.clip(wheel, 0, 1) - 1))
    return shown**2.2


def _palettes(key: Array, hue: Array, n: int) -> Float[Array, "n 3 3"]:
    """Colours for n objects around the scene's hue: neighbours, opposites and thirds of it, light against dark."""
    draw = keys(key)
    steps = jnp.asarray([0.0, 0.08, -0.1, 0.5, 0.42, 0.33, 0.66], jnp.float32)
    base = hue + random.choice(next(draw), steps, (n,)) + uniform(next(draw), (n,), -0.03, 0.03)
    other = base + random.choice(next(draw), steps, (n,))
    first = hsv(base, uniform(next(draw), (n,), 0.55, 0.9), uniform(next(draw), (n,), 0.7, 1.0))
    light = hsv(other, uniform(next(draw), (n,), 0.05, 0.3), uniform(next(draw), (n,), 0.85, 1.0))
    dark = hsv(other, uniform(next(draw), (n,), 0.5, 0.9), uniform(next(draw), (n,), 0.15, 0.45))
    second = jnp.where(random.bernoulli(next(draw), 0.55, (n, 1)), light, dark)
    third = hsv(base + 0.5, uniform(next(draw), (n,), 0.4, 0.9), uniform(next(draw), (n,), 0.3, 1.0))
    return jnp.stack([first, second, third], 1)


def _choose(key: Array, names: tuple[str, ...], n: int) -> Array:
    return random.choice(key, jnp.asarray([PATTERNS.index(name) for name in names], jnp.int32), (n,))


def _object_materials(key: Array, hue: Array, n: int, scale: tuple[float, float]) -> Material:
    draw = keys(key)
    cells = uniform(next(draw), (n, 1), *scale)
    return Material(
        pattern=_choose(next(draw), _OBJECTS, n),
        colours=_palettes(next(draw), hue, n),
        scale=jnp.broadcast_to(cells, (n, 3)),
        origin=uniform(next(draw), (n, 3), 0, 50),
        slant=jnp.round(uniform(next(draw), (n,), -1.49, 1.49)),
        softness=uniform(next(draw), (n,), 0.03, 0.08),
        wear=uniform(next(draw), (n,), 0.1, 0.5),
        gloss=uniform(next(draw), (n,), 0.2, 0.9),
        shininess=uniform(next(draw), (n,), 15, 80),
        mirror=uniform(next(draw), (n,), 0.0, 0.7),
    )


def _room_materials(key: Array, hue: Array, place: Place) -> Material:
    """Faces in the order x-, x+, ceiling, floor, z-, z+: one floor, one ceiling, walls of two tones; or the sky."""
    draw = keys(key)
    wall, other = (_choose(next(draw), _WALLS, 1) for _ in range(2))
    floor, ceiling = _choose(next(draw), _FLOORS, 1), _choose(next(draw), _CEILINGS, 1)
    walls = _object_materials(next(draw), hue, 6, (0.7, 1.6))
    pattern = jnp.concatenate([other, other, ceiling, floor, wall, wall])
    tone = jnp.asarray([0.08, 0.08, 0.1, 0.5, 0.0, 0.0], jnp.float32) + hue
    value = jnp.asarray([0.8, 0.8, 0.95, 0.75, 0.85, 0.85], jnp.float32)
    saturation = jnp.asarray([0.45, 0.45, 0.1, 0.45, 0.4, 0.4], jnp.float32)
    first = hsv(tone, saturation, value)
    second = hsv(tone + uniform(next(draw), (6,), -0.1, 0.1), saturation * 0.8, value * 0.72)
    third = hsv(tone + 0.45, saturation, value * 0.6)
    inside = walls._replace(
        pattern=pattern,
        colours=jnp.stack([first, second, third], 1),
        slant=jnp.where(jnp.arange(6) == 3, walls.slant, 0),
        wear=0.5 * walls.wear,
        gloss=0.4 * walls.gloss,
        mirror=jnp.where(jnp.arange(6) == 3, 0.35, 0.05),
    )
    colours = jnp.broadcast_to(_sky_colours(next(draw)), (6, 3, 3))
    is_ground = jnp.arange(6) == 3
    sky = inside._replace(
        pattern=jnp.where(is_ground, floor, PATTERNS.index("sky")),
        colours=jnp.where(is_ground[:, None, None], inside.colours, colours),
        origin=jnp.broadcast_to(walls.origin[:1], (6, 3)),
    )
    return jax.tree.map(lambda a, b: jnp.where(place.outdoor > 0, a, b), sky, inside)


def _sky_colours(key: Array) -> Float[Array, "3 3"]:
    """Horizon, zenith and hills: from blue noon to pink evening."""
    draw = keys(key)
    warm = uniform(next(draw), (), 0, 1)
    horizon = hsv(jnp.where(warm > 0.5, 0.07, 0.55) + 0 * warm, 0.15 + 0.3 * warm, 0.97 + 0 * warm)
    zenith = hsv(0.6 + 0.12 * warm, 0.6 - 0.1 * warm, 0.85 - 0.2 * warm)
    hills = hsv(
        uniform(next(draw), (), 0.3, 0.75), uniform(next(draw), (), 0.3, 0.6), uniform(next(draw), (), 0.25, 0.45)
    )
    return jnp.stack([horizon, zenith, hills])


def _lights(key: Array, place: Place, horizon: Float[Array, "3"]) -> Lights:
    """In a room a lamp under the ceiling and a weak one behind the camera; out of doors the sun and a soft fill."""
    draw = keys(key)
    angle = uniform(next(draw), (), -1.2, 1.2)
    lamp = jnp.stack([1.8 * jnp.sin(angle), place.ceiling + 0.5, 1.8 * jnp.cos(angle)])
    sun = 60 * jnp.stack([jnp.sin(angle), -uniform(next(draw), (), 0.7, 1.3), jnp.cos(angle)])
    fill = jnp.stack([-4 * jnp.sign(angle), place.ceiling * 0.4, 2 + 0 * angle])
    warmth = uniform(next(draw), (), 0.05, 0.2)
    warm = jnp.stack([1 + 0 * warmth, 1 - 0.5 * warmth, 1 - 1.6 * warmth])
    cool = jnp.asarray([0.8, 0.9, 1.0], jnp.float32)
    outside = place.outdoor > 0
    return Lights(
        position=jnp.stack([jnp.where(outside, sun, lamp), fill]),
        colour=jnp.stack([jnp.where(outside, 1.1, 1.6) * warm, jnp.where(outside, 0.15, 0.5) * cool]),
        reach=jnp.stack([jnp.where(outside, 1000.0, 5.0), jnp.float32(6.0)]),
        sky=jnp.where(outside, 0.5, 0.42) * cool,
        ground=0.22 * warm,
        haze=horizon,
        hazy=place.outdoor,
    )
