"""Conditions become a problem: the given picture seen, warps encoded, and the parts of the sampler put together."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array, Float, Key

from nvs_jax.diffusion.assemble import make_guidance, make_solver, make_trust
from nvs_jax.diffusion.combinators.assemble import around_guidance, around_solver
from nvs_jax.diffusion.contracts import Codec
from nvs_jax.diffusion.levels import make_levels
from nvs_jax.diffusion.parts import Parts, own_guidance, own_solver, own_trust
from nvs_jax.diffusion.problem import Problem
from nvs_jax.diffusion.randomness import Keys, fold_in
from nvs_jax.errors import InputError
from nvs_jax.geometry.correspondence import correspondence
from nvs_jax.geometry.masks import cell_means
from nvs_jax.models.contract import VideoModel
from nvs_jax.settings import RenderSettings
from nvs_jax.sharding import place, use
from nvs_jax.steering.conditions import Conditions


class Noise(NamedTuple):
    """N(0, 1), to replay a run: added to the given picture, and what the latents start from. Of one video, or of b."""

    picture: Float[Array, "*b H W 3"]
    latents: Float[Array, "*b f h w c"]


Randomness = int | Sequence[int] | Keys | Noise
"""A seed or a key, several of either for as many videos at once, or the noise itself."""


def keys_of(seed: int | Sequence[int] | Array) -> Keys:
    """The key of a seed, or one for each of several.

    Raises:
        InputError: no seed at all, or an array that is no key.

    >>> keys_of((3, 5))[1] == keys_of(5)
    Array(True, dtype=bool)
    """
    if isinstance(seed, int | np.integer):
        return jax.random.key(seed)
    if isinstance(seed, Sequence):
        if not seed:
            raise InputError("no seeds: give one at least")
        return jnp.stack([jax.random.key(one) for one in seed])
    if not jnp.issubdtype(seed.dtype, jax.dtypes.prng_key):
        raise InputError(f"an array of {seed.dtype} is no key: give jax.random.key(seed), a seed, or a tuple of seeds")
    return seed


def particle_keys(keys: Key[Array, "*given"], count: int) -> Key[Array, "*videos"]:
    """The keys of so many particles of one video; of a single one its own.

    Raises:
        InputError: particles of several videos.
    """
    if count == 1:
        return keys
    if keys.size != 1:
        raise InputError(f"particles.count {count} takes one seed at a time, not {keys.size}: give them one by one")
    return jax.vmap(lambda number: fold_in(keys.reshape(()), number))(jnp.arange(3, 3 + count))


def prepare(
    model: VideoModel,
    conditions: Conditions,
    randomness: Randomness,
    settings: RenderSettings,
    mesh: Mesh | None = None,
    parts: Parts = Parts(),
) -> Problem:
    """Encode and assemble all that the sampler needs.

    Args:
        model: told of the settings.
        conditions: what is known of every frame.
        randomness: of one video, or of several.
        settings: of the render.
        mesh: devices that share the work.
        parts: of one's own, in place of the settings'.

    Raises:
        InputError: a size the model cannot take, or a part that does not meet its contract.
    """
    frames, (height, width) = len(conditions.distance), conditions.picture.shape[:2]
    model.lattice.check(frames, height, width)
    picture, warp = place((jnp.asarray(conditions.picture), conditions.warp), mesh)
    key = None
    if not isinstance(randomness, Noise):
        keys = particle_keys(keys_of(randomness), settings.particles.count)
        key = fold_in(keys, 2)
        randomness = _draw(keys, picture.shape, model.lattice.latent_shape(frames, height, width))
    for_picture, for_latents = (x if x.ndim == n else x[None] for x, n in zip(randomness, (4, 5), strict=True))
    # One network after the other: a low-memory model holds one at a time.
    with use(mesh):
        seen = model.look(picture, place(for_picture, mesh), warp)
        views = jax.block_until_ready(model.encode_views(seen, picture, warp))
    distances = _pool_distances(model.codec(), conditions.distance, model.lattice.cell)
    denoiser = model.denoiser(seen, frames)
    sigmas = make_levels(settings)
    if parts.guidance is None:
        moved = distances if distances.ndim == 3 else None
        guidance = make_guidance(settings.guidance, views, model.lattice.cells, conditions.mode, moved)
    else:
        guidance = own_guidance(parts.guidance, views, for_latents)
    if parts.trust is None:
        trust = make_trust(settings.trust, sigmas, distances, model.sigma_scale)
    else:
        trust = own_trust(parts.trust, distances, for_latents)
    if parts.solver is None:
        solver = make_solver(settings.solver, settings.schedule.steps)
    else:
        solver = own_solver(parts.solver, for_latents)
    same = None
    if conditions.seen is not None:
        same = correspondence(conditions.seen.cells(model.lattice.cell, model.lattice.frame_step))
    guidance = around_guidance(settings, guidance, views, same)
    solver, sigmas = around_solver(settings, solver, sigmas)
    start = None if settings.schedule.start is None else views.target
    return place(Problem(denoiser, guidance, trust, for_latents, sigmas, solver, key, mesh, start), mesh)


def _draw(keys: Keys, picture: tuple[int, ...], latents: tuple[int, ...]) -> Noise:
    """The noise of one video, or of as many as there are keys."""
    if keys.ndim:
        return jax.vmap(lambda key: _draw(key, picture, latents))(keys)
    for_picture, for_latents = jax.random.split(keys)
    return Noise(jax.random.normal(for_picture, picture), jax.random.normal(for_latents, latents))


def _pool_distances(codec: Codec, distance: Float[Array, "n *pixels"], side: int) -> Float[Array, "f *cells"]:
    """|dp| of latent frames, or of latent cells of this many pixels along each side: the mean of their pixels."""
    if distance.ndim == 1:
        return codec.pool_frames(distance)
    return jax.vmap(jax.vmap(codec.pool_frames, 1, 1), 2, 2)(cell_means(distance, side))
