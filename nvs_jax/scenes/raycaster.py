"""Cast rays through a scene: pictures with exact depth.

Pixels are numbered from 0 and a pixel's centre has whole coordinates: the ray of column j, row i runs through
`K^-1 [j, i, 1]`, without a half, as everywhere in `nvs_jax.geometry`. The colour of a pixel is the average over the
unit square around that centre, its depth is that of the centre.
"""

import math
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, Int

from nvs_jax.errors import InputError
from nvs_jax.scenes.scene import Scene
from nvs_jax.scenes.shading import Lights, display, haze, shade
from nvs_jax.scenes.solids import Surface, blocked, nearest, surface
from nvs_jax.scenes.textures import PATTERNS, texture
from nvs_jax.scenes.vectors import dot, normalize, pick, rotate, rotate_back

_FACES = 6  # of the room, the first materials
_RAYS_AT_ONCE = {"cpu": 2**14}  # enough to share among cores, few enough for their caches
_RAYS_AT_ONCE_ELSEWHERE = 2**20


class View(NamedTuple):
    """A picture in [0, 1] and the depth of its pixel centres: z in the camera, not length of the ray, scene units."""

    picture: Float[Array, "*f h w 3"]
    depth: Float[Array, "*f h w"]


class _Camera(NamedTuple):
    """Where rays start, and their directions' dependence on the pixel; directions have z = 1 in the camera."""

    centre: Float[Array, "3"]
    rotation: Float[Array, "3 3"]
    intrinsics: Float[Array, "3 3"]

    def direction(self, column: Float[Array, "r"], row: Float[Array, "r"]) -> Float[Array, "3 r"]:
        K = self.intrinsics
        y = (row - K[1, 2]) / K[1, 1]
        x = (column - K[0, 2] - K[0, 1] * y) / K[0, 0]
        return jnp.matmul(self.rotation.T, jnp.stack([x, y, jnp.ones_like(x)]), precision="highest")


def _footprint(camera: _Camera, direction, distance, face: Surface, samples: int) -> Float[Array, "3 r"]:
    """How far apart neighbouring rays end on the tangent plane, along the solid's axes."""
    K = camera.intrinsics
    towards = dot(face.normal, direction)
    towards = jnp.where(jnp.abs(towards) < 0.02, -0.02, towards)
    squared = jnp.zeros_like(direction)
    for step in (camera.rotation[0] / K[0, 0], camera.rotation[1] / K[1, 1]):
        step = step[:, None] / samples
        moved = distance * (step - direction * (dot(face.normal, step) / towards))
        squared += rotate(face.rotation, moved) ** 2
    return jnp.sqrt(squared)


def _cast(
    scene: Scene, camera: _Camera, column, row, samples: int, view_dependent
) -> tuple[Float[Array, "3 r"], Float[Array, "r"]]:
    """Colour and depth of the points that rays through these places of the picture see."""
    direction = camera.direction(column, row)
    origin = camera.centre[:, None]
    distance, index = nearest(scene.geometry, origin, direction)
    point = origin + distance * direction
    face = surface(scene.geometry, index, point)
    normal = face.normal
    which = jnp.where(index == 0, face.face, index + _FACES - 1)
    material = pick(scene.material, which)
    width = _footprint(camera, direction, distance, face, samples)
    diffuse = texture(material, face.local, width, face.axis, point)
    start = point + 2e-3 * normal
    lit = ~blocked(scene.geometry, start, _towards_lamp(scene.lights, start, column, row))
    colour = shade(scene.lights, material, diffuse, point, normal, -normalize(direction), lit, view_dependent)
    colour = haze(scene.lights, colour, point)
    return display(jnp.where(material.pattern == PATTERNS.index("sky"), diffuse, colour)), distance


def _towards_lamp(lights: Lights, start: Float[Array, "3 r"], column, row) -> Float[Array, "3 r"]:
    """To the lamp that casts shadows; of one with a size each sample of a pixel looks at a place of its own."""
    towards = lights.position[0][:, None] - start
    if lights.size is None:
        return towards
    across, along = (2 * (at - jnp.round(at)) for at in (column, row))
    aside = jnp.stack([across, jnp.zeros_like(across), along])
    return towards + lights.size * jnp.sqrt(dot(towards, towards)) * aside


@partial(jax.jit, static_argnames=("height", "width", "samples"))
def render(
    scene: Scene,
    pose: Float[Array, "4 4"],
    intrinsics: Float[Array, "3 3"],
    height: int,
    width: int,
    *,
    time: ArrayLike = 0.0,
    samples: int = 1,
    view_dependent: ArrayLike = 0.0,
) -> View:
    """Picture and exact depth of a scene from one camera.

    Args:
        scene: from `random_scene`; scenes of the same settings share one compilation.
        pose: world-to-camera, OpenCV axes. Its dtype is that of the computation and of the results.
        intrinsics: in pixels, [[fx, skew, cx], [0, fy, cy], [0, 0, 1]].
        height: rows.
        width: columns.
        time: at which moving solids are seen; everything is at its starting place at 0.
        samples: rays along each side of a pixel whose colours are averaged. The depth is always that of the ray through
            the centre, column j and row i at coordinates (j, i).
        view_dependent: 0 for Lambertian surfaces, up to 1 for highlights and reflections.

    Returns:
        Picture [height, width, 3] in [0, 1] and depth [height, width] in scene units.

    Raises:
        InputError: no pixels or no samples.
    """
    if min(height, width, samples) < 1:
        raise InputError(f"a picture has at least 1 row, column and sample, not {height}, {width} and {samples}")
    dtype = pose.dtype
    scene = jax.tree.map(lambda a: a.astype(dtype) if jnp.issubdtype(a.dtype, jnp.floating) else a, scene)
    scene = scene._replace(geometry=scene.geometry.at(jnp.asarray(time, dtype)))
    rotation = pose[:3, :3]
    camera = _Camera(-rotate_back(rotation, pose[:3, 3]), rotation, intrinsics.astype(dtype))
    view_dependent = jnp.asarray(view_dependent, dtype)
    within = (jnp.arange(samples, dtype=dtype) + 0.5) / samples - 0.5

    def block(pixels: Int[Array, "p"]) -> tuple[Float[Array, "p 3"], Float[Array, "p"]]:
        row, column = (a.astype(dtype) for a in jnp.divmod(pixels, width))
        rays = jnp.broadcast_arrays(column[:, None, None] + within, row[:, None, None] + within[:, None])
        colour, depth = _cast(scene, camera, rays[0].ravel(), rays[1].ravel(), samples, view_dependent)
        if samples > 1:
            depth, _ = nearest(scene.geometry, camera.centre[:, None], camera.direction(column, row))
        return colour.reshape(3, len(pixels), -1).mean(-1).T, depth

    pixels = height * width
    rays = _RAYS_AT_ONCE.get(jax.default_backend(), _RAYS_AT_ONCE_ELSEWHERE)
    blocks = math.ceil(pixels * samples**2 / rays)
    size = math.ceil(pixels / blocks)
    picture, depth = jax.lax.map(block, jnp.arange(blocks * size).reshape(blocks, size))
    picture, depth = picture.reshape(-1, 3)[:pixels], depth.ravel()[:pixels]  # the last block may run past them
    return View(picture.reshape(height, width, 3), depth.reshape(height, width))


def render_path(
    scene: Scene,
    poses: Float[Array, "f 4 4"],
    intrinsics: Float[Array, "3 3"],
    height: int,
    width: int,
    *,
    time: ArrayLike = 0.0,
    samples: int = 1,
    view_dependent: ArrayLike = 0.0,
) -> View:
    """`render` from every pose of a path, one after another.

    Args:
        scene: as in `render`, as are the other arguments not listed.
        poses: world-to-camera, one a frame.
        intrinsics: shared by the frames.
        height: rows.
        width: columns.
        time: one for all frames, or one a frame ([f]).
        samples: rays along each side of a pixel.
        view_dependent: 0 to 1.

    Returns:
        Pictures [f, height, width, 3] and depth [f, height, width].
    """
    times = jnp.broadcast_to(jnp.asarray(time, poses.dtype), poses.shape[:1])
    return _render_frames(scene, poses, intrinsics, times, view_dependent, height, width, samples)


@partial(jax.jit, static_argnames=("height", "width", "samples"))
def _render_frames(scene, poses, intrinsics, times, view_dependent, height, width, samples) -> View:
    def one_frame(frame):
        pose, time = frame
        extras = {"time": time, "samples": samples, "view_dependent": view_dependent}
        return render(scene, pose, intrinsics, height, width, **extras)

    return jax.lax.map(one_frame, (poses, times))
