"""Light: ambient, two lamps by Lambert's law, one of them with hard shadows; highlights and reflections on request."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.scenes.textures import Material, smoothstep
from nvs_jax.scenes.vectors import Vector, dot, normalize


class Lights(NamedTuple):
    """Colours are linear RGB.

    Attributes:
        position: of the two lamps; the first casts shadows. The sun is a lamp far away.
        colour: of the lamps.
        reach: distance at which a lamp's light has halved.
        sky: ambient light from above.
        ground: ambient light from below.
        haze: colour in which a distant ground ends.
        hazy: how much of it there is, 0 in a room.
        size: half a side of the first lamp, a level square, over its distance; None: a point.
    """

    position: Float[Array, "2 3"]
    colour: Float[Array, "2 3"]
    reach: Float[Array, "2"]
    sky: Float[Array, "3"]
    ground: Float[Array, "3"]
    haze: Float[Array, "3"]
    hazy: Float[Array, ""]
    size: Float[Array, ""] | None = None


def shade(
    lights: Lights,
    material: Material,
    colour: Vector,
    point: Vector,
    normal: Vector,
    towards_eye: Vector,
    lit: Bool[Array, "r"],
    view_dependent: Float[Array, ""],
) -> Float[Array, "3 r"]:
    """Light that leaves each point towards the eye, linear RGB.

    Args:
        lights: of the scene.
        material: one per ray, components first.
        colour: diffuse colour, linear RGB.
        point: on the surface, in the world.
        normal: there, of length 1.
        towards_eye: of length 1.
        lit: whether the first lamp is seen from the point.
        view_dependent: 0 for Lambertian surfaces, 1 for all of their gloss.
    """
    up = 0.5 - 0.5 * normal[1]  # world y points down
    arriving, mirrored = [1 - up, up], []
    for lamp, seen in ((0, lit), (1, True)):
        ray = lights.position[lamp][:, None] - point
        squared = dot(ray, ray)
        towards = ray / jnp.sqrt(squared)
        power = seen * lights.reach[lamp] ** 2 / (lights.reach[lamp] ** 2 + squared)
        arriving.append(power * jnp.maximum(dot(normal, towards), 0))
        halfway = jnp.maximum(dot(normal, normalize(towards + towards_eye)), 1e-4)
        mirrored.append(arriving[-1] * jnp.exp(material.shininess * jnp.log(halfway)))
    sources = jnp.stack([lights.ground, lights.sky, *lights.colour], 1)
    light = jnp.matmul(sources, jnp.stack(arriving), precision="highest")
    highlight = jnp.matmul(sources[:, 2:], jnp.stack(mirrored), precision="highest")
    facing = jnp.clip(dot(normal, towards_eye), 0, 1)
    reflected = 2 * facing * normal - towards_eye
    share = view_dependent * material.mirror * (0.35 + 0.65 * (1 - facing) ** 3)
    shaded = colour * light * (1 - share) + share * surroundings(lights, reflected)
    return shaded + view_dependent * material.gloss * highlight


def surroundings(lights: Lights, direction: Vector) -> Float[Array, "3 r"]:
    """What a mirror shows in a direction: the sky's light above, the ground's below, and a band of bright windows."""
    sky, ground = lights.sky[:, None], lights.ground[:, None]
    base = ground + (sky - ground) * smoothstep(0.15, -0.15, direction[1])
    windows = smoothstep(0.25, 0.35, -direction[1]) * smoothstep(0.75, 0.65, -direction[1])
    return base * (1.2 + 2 * windows * smoothstep(-0.1, 0.1, direction[0] * direction[2]))


def haze(lights: Lights, colour: Vector, point: Vector) -> Float[Array, "3 r"]:
    """Let the ground end in the colour of the horizon; a function of the place, not of the eye."""
    far = lights.hazy * smoothstep(5.0, 10.0, jnp.sqrt(point[0] ** 2 + point[2] ** 2))
    return colour + (lights.haze[:, None] - colour) * far


def display(light: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """Linear light to a picture in [0, 1]: a soft shoulder, then gamma 2.2."""
    light = jnp.maximum(light, 0)
    return jnp.clip(1 - jnp.exp(-1.5 * light), 1e-6, 1) ** (1 / 2.2)
