"""Random scenes: a seed becomes a room or an open place, furnished, coloured and lit."""

import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.geometry import intrinsics_matrix, orbit
from nvs_jax.scenes.draws import Draws
from nvs_jax.scenes.layout import Place, random_geometry, random_place
from nvs_jax.scenes.materials import (
    natural_materials,
    object_materials,
    open_materials,
    random_hues,
    room_materials,
    select,
)
from nvs_jax.scenes.scene import Scene
from nvs_jax.scenes.settings import SceneSettings
from nvs_jax.scenes.shading import Lights


def random_scene(seed: int | Array, settings: SceneSettings = SceneSettings()) -> Scene:  # noqa: B008
    """A new scene for every seed; the same one for the same seed, on any back end.

    Args:
        seed: a number, or a key of `jax.random` (then this may be called under jit or vmap).
        settings: number of solids of each kind, and the like.
    """
    if isinstance(seed, int):
        if not 0 <= seed < 2**32:
            raise InputError(f"a scene's seed is a number from 0 to 2**32 - 1, not {seed}")
        seed = jax.random.key(seed)
    return _random_scene(seed, settings)


@partial(jax.jit, static_argnames="settings")
def _random_scene(key: Array, settings: SceneSettings) -> Scene:
    draw = Draws(key)
    place, hues = random_place(draw, settings), random_hues(draw)
    geometry = random_geometry(draw, place, settings)
    room = room_materials(draw, hues)
    room = select(place.outdoor > 0, open_materials(draw, room), room)
    boxes = object_materials(draw, hues, len(geometry.boxes.radius), (1.5, 3.5))
    spheres = object_materials(draw, hues, len(geometry.spheres.radius), (1.8, 4.0))
    capsules = object_materials(draw, hues, len(geometry.capsules.radius), (1.8, 4.5))
    material = jax.tree.map(lambda *a: jnp.concatenate(a), room, boxes, spheres, capsules)
    lights = _lights(draw, place, room.colours[4, 0])
    if settings.natural > 0:  # drawn last, so that all else of a seed stays as it is
        natural = draw.uniform((), 0, 1) < settings.natural
        material = natural_materials(draw, material, natural)
        lights = lights._replace(size=natural * draw.uniform((), 0.02, 0.2))
    return Scene(geometry, material, lights)


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
    pose = orbit(settings.orbit_radius, settings.orbit_radius, step_degrees=0.0, frames=1)[0]
    return pose, intrinsics_matrix(focal, height, width, "release")


def _lights(draw: Draws, place: Place, horizon: Float[Array, "3"]) -> Lights:
    """In a room a lamp under the ceiling and a weak one behind the camera; out of doors the sun and a soft fill."""
    angle = draw.uniform((), -1.2, 1.2)
    lamp = jnp.stack([1.8 * jnp.sin(angle), place.ceiling + 0.7, 1.8 * jnp.cos(angle)])
    sun = 60 * jnp.stack([jnp.sin(angle), -draw.uniform((), 0.7, 1.3), jnp.cos(angle)])
    fill = jnp.stack([-4 * jnp.sign(angle), place.ceiling * 0.4, 2 + 0 * angle])
    warmth = draw.uniform((), 0.05, 0.2)
    warm = jnp.stack([1 + 0 * warmth, 1 - 0.5 * warmth, 1 - 1.6 * warmth])
    cool = jnp.asarray([0.8, 0.9, 1.0], jnp.float32)
    outside = place.outdoor > 0
    return Lights(
        position=jnp.stack([jnp.where(outside, sun, lamp), fill]),
        colour=jnp.stack([jnp.where(outside, 1.1, 1.6) * warm, jnp.where(outside, 0.15, 0.5) * cool]),
        reach=jnp.stack([jnp.where(outside, 1000.0, 5.0), jnp.float32(6.0)]),
        sky=jnp.where(outside, 0.5, 0.42) * cool,
        ground=jnp.where(outside, 0.25, 0.5) * warm,
        haze=horizon,
        hazy=place.outdoor,
    )
