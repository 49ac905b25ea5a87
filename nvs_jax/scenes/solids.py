"""Boxes, spheres and capsules: where a ray meets them, and what the surface is like there.

All kinds share one description, a box grown by a radius: a box has radius 0, a sphere half extents 0, a capsule only
a half length along its local y. Rays are `origin + distance * direction` with components first ([3, r]).
"""

from collections.abc import Callable
from functools import partial, reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.scenes.vectors import Vector, dot, greatest, normalize, pick, rotate, rotate_back

Distance = Float[Array, "*r"]


class Motion(NamedTuple):
    """Displacement as a function of time, 0 at time 0: `velocity t + swing (sin(2 pi rate t + phase) - sin(phase))`."""

    velocity: Float[Array, "n 3"]
    swing: Float[Array, "n 3"]
    rate: Float[Array, "n"]
    phase: Float[Array, "n"]

    def displacement(self, time: Float[Array, ""]) -> Float[Array, "n 3"]:
        """How far each solid has moved, in scene units."""
        swung = jnp.sin(2 * jnp.pi * self.rate * time + self.phase) - jnp.sin(self.phase)
        return self.velocity * time + self.swing * swung[:, None]


class Solids(NamedTuple):
    """n solids of one kind.

    Attributes:
        centre: in the world.
        rotation: its rows are the local axes in the world.
        half: half extents along the local axes.
        radius: by which that box is grown.
        motion: of the centre.
    """

    centre: Float[Array, "n 3"]
    rotation: Float[Array, "n 3 3"]
    half: Float[Array, "n 3"]
    radius: Float[Array, "n"]
    motion: Motion


class Geometry(NamedTuple):
    """All solids of a scene; `room` is one box seen from the inside."""

    room: Solids
    boxes: Solids
    spheres: Solids
    capsules: Solids

    def at(self, time: Float[Array, ""]) -> "Geometry":
        """The solids where they are at this time."""
        return Geometry(*(s._replace(centre=s.centre + s.motion.displacement(time)) for s in self))


class Surface(NamedTuple):
    """The point where each ray ends; `local` is in the solid's axes, `axis` one-hot along the normal of a flat face.

    `index` counts the solids as [room, boxes, spheres, capsules]; `face` is 2 * axis + (1 on the positive side).
    """

    index: Int[Array, "r"]
    face: Int[Array, "r"]
    local: Float[Array, "3 r"]
    normal: Float[Array, "3 r"]
    axis: Bool[Array, "3 r"]
    rotation: Float[Array, "3 3 r"]


def _slabs(solid: Solids, origin: Vector, direction: Vector) -> tuple[Distance, Distance]:
    """Distances at which a ray in local axes enters and leaves a box."""
    inverse = 1 / jnp.where(jnp.abs(direction) < 1e-9, 1e-9, direction)
    middle, reach = -origin * inverse, jnp.abs(inverse) * solid.half[:, None]
    return greatest(middle - reach), -greatest(-middle - reach)


def leave_room(solid: Solids, origin: Vector, direction: Vector) -> Distance:
    """Distance to the walls from inside."""
    return _slabs(solid, origin, direction)[1]


def enter_box(solid: Solids, origin: Vector, direction: Vector) -> Distance:
    """Distance to a box from outside; infinite where it is missed."""
    near, far = _slabs(solid, origin, direction)
    return jnp.where((near < far) & (near > 0), near, jnp.inf)


def _enter_round(
    origin: Vector, direction: Vector, radius: Float[Array, ""], weights: tuple[int, int, int]
) -> Distance:
    """Distance to `sum(weights * x^2) = radius^2`: a sphere, or a cylinder where one weight is 0."""
    weigh = jnp.asarray(weights, origin.dtype)[:, None] * direction
    a = jnp.maximum(dot(weigh, direction), 1e-12)
    middle = -dot(weigh, origin) / a  # where the ray passes closest; subtracting squares would cancel
    closest = jnp.asarray(weights, origin.dtype)[:, None] * (origin + middle * direction)
    room = radius**2 - dot(closest, closest)
    near = middle - jnp.sqrt(jnp.maximum(room, 0) / a)
    return jnp.where((room > 0) & (near > 0), near, jnp.inf)


def enter_sphere(solid: Solids, origin: Vector, direction: Vector) -> Distance:
    """Distance to a sphere from outside; infinite where it is missed."""
    return _enter_round(origin, direction, solid.radius, (1, 1, 1))


def enter_capsule(solid: Solids, origin: Vector, direction: Vector) -> Distance:
    """Distance to a capsule from outside; infinite where it is missed."""
    side = _enter_round(origin, direction, solid.radius, (1, 0, 1))
    height = origin[1] + jnp.where(jnp.isfinite(side), side, 0) * direction[1]
    side = jnp.where(jnp.abs(height) <= solid.half[1], side, jnp.inf)
    end = jnp.stack([jnp.zeros_like(solid.half[1]), solid.half[1], jnp.zeros_like(solid.half[1])])[:, None]
    ends = (_enter_round(origin + sign * end, direction, solid.radius, (1, 1, 1)) for sign in (-1, 1))
    return jnp.minimum(side, jnp.minimum(*ends))


_ENTER = {"boxes": enter_box, "spheres": enter_sphere, "capsules": enter_capsule}


def distances(solids: Solids, meet: Callable[..., Distance], origin: Vector, direction: Vector) -> Float[Array, "n r"]:
    """Distance along each of r rays to each of n solids of one kind; `meet` is one of the functions above."""

    # Matrix products are barriers to XLA's fusion, which would work out the rays anew for every solid.
    turn = partial(jnp.einsum, "nij,jr->nir", solids.rotation, precision="highest")
    middle = (solids.rotation * solids.centre[:, None]).sum(-1)[..., None]
    return jax.vmap(meet)(solids, turn(origin) - middle, turn(direction))


def nearest(
    geometry: Geometry, origin: Float[Array, "3 #r"], direction: Float[Array, "3 r"]
) -> tuple[Float[Array, "r"], Int[Array, "r"]]:
    """Distance to the first solid along each ray, and which it is in the order [room, boxes, spheres, capsules]."""
    every = [distances(geometry.room, leave_room, origin, direction)]
    every += [distances(getattr(geometry, kind), enter, origin, direction) for kind, enter in _ENTER.items()]
    table = jnp.concatenate(every)
    first = table.min(0)
    numbers = jnp.arange(len(table), dtype=jnp.int32)[:, None]
    return first, jnp.where(table <= first, numbers, len(table)).min(0)  # several times faster than argmin on a CPU


def blocked(geometry: Geometry, origin: Float[Array, "3 r"], direction: Float[Array, "3 r"]) -> Bool[Array, "r"]:
    """Whether a solid lies between `origin` and `origin + direction`; the room itself never does."""
    kinds = (distances(getattr(geometry, kind), enter, origin, direction).min(0) for kind, enter in _ENTER.items())
    return reduce(jnp.minimum, kinds) < 1


def surface(geometry: Geometry, index: Int[Array, "r"], point: Float[Array, "3 r"]) -> Surface:
    """What the surface of solid `index` is like at a point on it; the room's normals point inwards."""
    solid = pick(jax.tree.map(lambda *parts: jnp.concatenate(parts), *geometry), index)
    half, flat = solid.half, solid.radius == 0
    local = rotate(solid.rotation, point - solid.centre)
    relative = jnp.abs(local) / jnp.maximum(half, 1e-9)
    side = relative >= greatest(relative)
    side = jnp.stack([side[0], side[1] & ~side[0], side[2] & ~side[1] & ~side[0]])
    sign = jnp.where(local < 0, -1.0, 1.0)
    outward = jnp.where(flat, side * sign, local - jnp.clip(local, -half, half))
    normal = normalize(rotate_back(solid.rotation, outward)) * jnp.where(index == 0, -1, 1)
    face = jnp.where(side, 2 * jnp.arange(3)[:, None] + (sign > 0), 0).sum(0)
    return Surface(index, face.astype(index.dtype), local, normal, side & flat, solid.rotation)
