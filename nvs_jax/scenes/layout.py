"""Where the solids of a random scene stand, how large they are, and how they move.

Everything near the middle stays within 3.5 units of the origin and the columns beyond 0.9 outside the orbit, so that a
camera on the orbit keeps half a unit of air around it.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.scenes.draws import Draws
from nvs_jax.scenes.settings import SceneSettings
from nvs_jax.scenes.solids import Geometry, Motion, Solids

_MIDDLE = 2.2  # radius around the origin in which centres of free-standing solids lie
_GOLDEN_ANGLE = 2.39996


class Place(NamedTuple):
    """The empty room: `outdoor` 0 or 1, `wall` its half width, `floor` and `ceiling` their y (down is positive)."""

    outdoor: Float[Array, ""]
    wall: Float[Array, "2"]
    floor: Float[Array, ""]
    ceiling: Float[Array, ""]


def random_place(draw: Draws, settings: SceneSettings) -> Place:
    """A room, or with probability `settings.outdoor` an open place whose sky is painted on far walls."""
    outdoor = (draw.uniform((), 0, 1) < settings.outdoor).astype(jnp.float32)
    wall = jnp.where(outdoor > 0, 10.0, draw.uniform((2,), 6.0, 7.5))
    floor = draw.uniform((), 1.1, 1.35)
    return Place(outdoor, wall, floor, jnp.where(outdoor > 0, -10.0, draw.uniform((), -2.9, -2.1)))


def random_geometry(draw: Draws, place: Place, settings: SceneSettings) -> Geometry:
    """Solids for an empty place."""
    counts = (settings.boards, settings.crates, settings.spheres, settings.poles)  # boards would hide what is behind
    ends = [sum(counts[: i + 1]) for i in range(3)]
    for_boards, for_crates, for_spheres, for_poles = jnp.split(_spots(draw, sum(counts), settings.boards), ends)
    crates, boards = _crates(draw, for_crates, place, settings), _boards(draw, for_boards, place)
    spheres, poles = _spheres(draw, for_spheres, place, crates, settings), _poles(draw, for_poles, place)
    rug, paintings = _rug(draw, place), _paintings(draw, place, settings)
    rods, columns = _rods(draw, settings), _columns(draw, place, settings)
    half = jnp.concatenate([place.wall[:1], (place.floor - place.ceiling)[None] / 2, place.wall[1:]])
    middle = jnp.stack([0 * place.floor, (place.floor + place.ceiling) / 2, 0 * place.floor])
    room = solids(middle[None], half[None])
    return Geometry(room, _join(crates, boards, rug, paintings), spheres, _join(poles, rods, columns))


def solids(
    centre: Float[Array, "n 3"],
    half: Float[Array, "n 3"],
    radius: Float[Array, "n"] | None = None,
    rotation: Float[Array, "n 3 3"] | None = None,
    motion: Motion | None = None,
) -> Solids:
    """Solids that by default are boxes, upright, facing along the axes and still."""
    n, zero = len(centre), jnp.zeros(len(centre), jnp.float32)
    still = Motion(jnp.zeros_like(centre), jnp.zeros_like(centre), zero, zero)
    upright = jnp.broadcast_to(jnp.eye(3, dtype=centre.dtype), (n, 3, 3))
    return Solids(
        centre,
        upright if rotation is None else rotation,
        half,
        zero if radius is None else radius,
        still if motion is None else motion,
    )


def yaw(angle: Float[Array, "n"]) -> Float[Array, "n 3 3"]:
    """World to local axes of something turned about the vertical by `angle` radians."""
    c, s, zero, one = jnp.cos(angle), jnp.sin(angle), jnp.zeros_like(angle), jnp.ones_like(angle)
    return jnp.stack([jnp.stack([c, zero, -s], -1), jnp.stack([zero, one, zero], -1), jnp.stack([s, zero, c], -1)], -2)


def pitch(angle: Float[Array, "n"]) -> Float[Array, "n 3 3"]:
    """World to local axes of something tilted about x by `angle` radians."""
    c, s, zero, one = jnp.cos(angle), jnp.sin(angle), jnp.zeros_like(angle), jnp.ones_like(angle)
    return jnp.stack([jnp.stack([one, zero, zero], -1), jnp.stack([zero, c, s], -1), jnp.stack([zero, -s, c], -1)], -2)


def _join(*parts: Solids) -> Solids:
    return jax.tree.map(lambda *a: jnp.concatenate(a), *parts)


def _spots(draw: Draws, n: int, inner: int) -> Float[Array, "n 2"]:
    """x and z of n places spread evenly over a disc (Vogel's spiral): the `inner` first ones nearest to its middle."""
    k = jnp.concatenate([jnp.arange(inner), inner + draw.order(n - inner)]).astype(jnp.float32)
    radius = _MIDDLE * jnp.sqrt((k + 0.5) / n)
    angle = _GOLDEN_ANGLE * k + draw.uniform((), 0, 2 * jnp.pi)
    spots = radius[:, None] * jnp.stack([jnp.cos(angle), jnp.sin(angle)], -1)
    return spots + draw.uniform((n, 2), -0.12, 0.12)


def _above(spots: Float[Array, "n 2"], y: Float[Array, "n"]) -> Float[Array, "n 3"]:
    return jnp.stack([spots[:, 0], y, spots[:, 1]], -1)


def _motion(draw: Draws, n: int, moving: int, swing: tuple[float, float, float]) -> Motion:
    """Random motion of the first `moving` of n solids, horizontal but for the swing; the others stay where they are."""
    moves = (jnp.arange(n) < moving).astype(jnp.float32)[:, None]
    flat = jnp.asarray([1.0, 0.0, 1.0], jnp.float32)
    return Motion(
        moves * flat * draw.uniform((n, 3), -0.25, 0.25),
        moves * jnp.asarray(swing, jnp.float32) * draw.uniform((n, 3), 0.5, 1.0),
        draw.uniform((n,), 0.6, 1.4),
        draw.uniform((n,), 0, 2 * jnp.pi),
    )


def _crates(draw: Draws, spots: Float[Array, "n 2"], place: Place, settings: SceneSettings) -> Solids:
    n = len(spots)
    half = draw.uniform((n, 3), 0.22, 0.4)
    centre = _above(spots, place.floor - half[:, 1])
    motion = _motion(draw, n, settings.moving, (0.08, 0.0, 0.08))
    return solids(centre, half, rotation=yaw(draw.uniform((n,), 0, jnp.pi)), motion=motion)


def _boards(draw: Draws, spots: Float[Array, "n 2"], place: Place) -> Solids:
    n = len(spots)
    size = draw.uniform((n, 2), 0.35, 0.65)
    half = jnp.stack([size[:, 0], size[:, 1] * 1.2, jnp.full_like(size[:, 0], 0.025)], -1)
    turned = yaw(draw.uniform((n,), -1.0, 1.0))
    return solids(_above(spots, place.floor - half[:, 1]), half, rotation=turned)


def _spheres(draw: Draws, spots: Float[Array, "n 2"], place: Place, crates: Solids, settings: SceneSettings) -> Solids:
    """The last ones lie on crates that stand still, the first ones move, every other one floats."""
    n = len(spots)
    radius = draw.uniform((n,), 0.2, 0.45)
    floats = jnp.arange(n) % 2 == 0
    centre = _above(spots, jnp.where(floats, draw.uniform((n,), -0.9, 0.2), place.floor - radius))
    on_crates = min(n // 3, max(0, settings.crates - settings.moving))
    if on_crates:
        top = crates.centre[-on_crates:] - crates.half[-on_crates:] * jnp.asarray([0, 1, 0], jnp.float32)
        resting = top - radius[-on_crates:, None] * jnp.asarray([0, 1, 0], jnp.float32)
        centre = centre.at[-on_crates:].set(resting)
    motion = _motion(draw, n, settings.moving, (0.08, 0.25, 0.08))
    turned = yaw(draw.uniform((n,), 0, jnp.pi)) @ pitch(draw.uniform((n,), -0.6, 0.6))
    return solids(centre, jnp.zeros_like(centre), radius, turned, motion)


def _poles(draw: Draws, spots: Float[Array, "n 2"], place: Place) -> Solids:
    n = len(spots)
    tall = draw.uniform((n,), 0.5, 0.95)
    half = jnp.zeros((n, 3), jnp.float32).at[:, 1].set(tall)
    return solids(_above(spots, place.floor - tall), half, draw.uniform((n,), 0.03, 0.08))


def _rods(draw: Draws, settings: SceneSettings) -> Solids:
    n = settings.rods
    half = jnp.zeros((n, 3), jnp.float32).at[:, 1].set(draw.uniform((n,), 0.5, 0.9))
    centre = draw.uniform((n, 3), -1.2, 1.2) * jnp.asarray([1, 0.4, 1], jnp.float32)
    turned = pitch(draw.uniform((n,), 0.3, 1.4)) @ yaw(draw.uniform((n,), 0, 2 * jnp.pi))
    return solids(centre, half, draw.uniform((n,), 0.02, 0.04), turned)


def _columns(draw: Draws, place: Place, settings: SceneSettings) -> Solids:
    """Outside the orbit, on the far side from where a path of up to +-60 degrees starts."""
    n = settings.columns
    angle = jnp.pi + jnp.linspace(-0.7, 0.7, n + 1, dtype=jnp.float32)[:-1] + 0.7 / n + draw.uniform((n,), -0.25, 0.25)
    spots = (settings.orbit_radius + 1.2) * jnp.stack([jnp.sin(angle), jnp.cos(angle)], -1)
    top = jnp.maximum(place.ceiling, -1.9)
    half = jnp.zeros((n, 3), jnp.float32).at[:, 1].set((place.floor - top) / 2)
    middle = jnp.broadcast_to((place.floor + top) / 2, (n,))
    return solids(_above(spots, middle), half, draw.uniform((n,), 0.12, 0.28))


def _rug(draw: Draws, place: Place) -> Solids:
    half = jnp.concatenate([draw.uniform((2,), 1.3, 2.0), jnp.full(1, 0.012, jnp.float32)])[jnp.asarray([0, 2, 1])]
    centre = jnp.zeros((1, 3), jnp.float32).at[:, 1].set(place.floor - 0.01)
    return solids(centre, half[None], rotation=yaw(draw.uniform((1,), -0.6, 0.6)))


def _paintings(draw: Draws, place: Place, settings: SceneSettings) -> Solids:
    """One a wall, far wall first; out of doors they stand on the ground at the distance of a wall of 6.5 units."""
    n = settings.paintings
    wall = jnp.where(place.outdoor > 0, 6.5, place.wall)
    angle = jnp.asarray([0.0, jnp.pi / 2, -jnp.pi / 2, jnp.pi], jnp.float32)[:n]
    turned = yaw(angle)
    size = draw.uniform((n, 2), 0.7, 1.2)
    half = jnp.stack([size[:, 0] * 1.5, size[:, 1] * 0.7, jnp.full((n,), 0.04, jnp.float32)], -1)
    distance = -jnp.where(jnp.arange(n) % 3 == 0, wall[1], wall[0]) + 0.04
    y = jnp.where(place.outdoor > 0, place.floor - half[:, 1], (place.floor + place.ceiling) / 2 + 0 * size[:, 0])
    local = jnp.stack([draw.uniform((n,), -2.0, 2.0), y, distance], -1)
    return solids(jnp.einsum("nji,nj->ni", turned, local), half, rotation=turned)
