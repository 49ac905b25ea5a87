"""Parts of one's own in place of those that settings name, held to their contracts before they are compiled."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Guidance, Latents, Trust
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.diffusion.solver import Solver
from nvs_jax.errors import InputError
from nvs_jax.windows import Window

Distances = Float[Array, "f *cells"] | Float[np.ndarray, "f *cells"]


@dataclass(frozen=True)
class Parts:
    """Parts of one's own; where one is None, the settings' is made.

    An object is taken as it is. A function or a class is called with what the part is about, once a leg, and makes it.

    Attributes:
        guidance: or what makes it of the warped views in latent space, whose `target` is [b, f, h, w, c] and whose
            `hole` is [1, f, h, w].
        solver: a frozen, hashable object.
        trust: or what makes it of |dp|, one a latent frame, [f], or one a latent cell, [f, h, w].
    """

    guidance: Guidance | Callable[[WarpedViews], Guidance] | None = None
    solver: Solver | None = None
    trust: Trust | Callable[[Distances], Trust] | None = None


def own_guidance(given: Any, views: WarpedViews, noise: Latents) -> Guidance:
    """The guidance that somebody brings, for these views.

    Raises:
        InputError: it does not meet `nvs_jax.diffusion.Guidance`.
    """
    made = given(views) if _makes(given) else given
    _check_pytree("guidance", made, ("correct", "estimate"))
    x, number = jax.ShapeDtypeStruct(noise.shape, noise.dtype), jax.ShapeDtypeStruct((), jnp.float32)
    w = jax.ShapeDtypeStruct(noise.shape[1:2], jnp.float32)
    _check_result(f"guidance: estimate(x0, sigma, w, key) of {_named(made)}", made.estimate, (x, number, w), x)

    def correct(x: Latents, sigma: Array, w: Array, key: Array) -> Latents:
        return made.correct(x, sigma, w, _Anything(), key)

    _check_result(f"guidance: correct(x, sigma, w, denoiser, key) of {_named(made)}", correct, (x, number, w), x)
    return made


def own_trust(given: Any, distances: Distances, noise: Latents) -> Trust:
    """The trust that somebody brings, for frames or cells at these distances.

    Raises:
        InputError: it does not meet `nvs_jax.diffusion.Trust`.
    """
    made = given(distances) if _makes(given) else given
    _check_pytree("trust", made, ("__call__",))
    cells = noise.shape[1:-1]
    wanted = [cells[:1], cells]
    try:
        found = jax.eval_shape(lambda sigma: made(sigma), jax.ShapeDtypeStruct((), jnp.float32))
    except (TypeError, ValueError) as error:
        raise InputError(f"trust: {_named(made)} cannot be called with sigma: {_line(error)}") from error
    if getattr(found, "shape", None) not in wanted:
        raise InputError(
            f"trust: {_named(made)} gives {_shape(found)}: a value a latent frame is {_shape(wanted[0])}, one a latent "
            f"cell {_shape(wanted[1])}"
        )
    return made


def own_solver(given: Any, noise: Latents) -> Solver:
    """The solver that somebody brings.

    Raises:
        InputError: it does not meet `nvs_jax.diffusion.Solver`.
    """
    if isinstance(given, type) or not isinstance(given, Solver):
        raise InputError(f"solver: {_named(given)} is no object with `init` and `step`: see nvs_jax.diffusion.Solver")
    try:
        hash(given)
    except TypeError as error:
        raise InputError(f"solver: {_named(given)} cannot be hashed: make it a frozen dataclass") from error
    x, number = jax.ShapeDtypeStruct(noise.shape, noise.dtype), jax.ShapeDtypeStruct((), jnp.float32)
    memory = jax.eval_shape(given.init, x)

    def step(x: Latents, sigma: Array, sigma_next: Array, key: Array) -> Any:
        before = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), memory)
        return given.step(x, before, sigma, sigma_next, lambda x, sigma: x, key)

    what = f"solver: step(x, memory, sigma, sigma_next, estimate, key) of {_named(given)}"
    _check_result(what, step, (x, number, number), (x, memory))
    return given


class _Anything:
    """A stand-in for a network."""

    def __call__(self, x: Latents, sigma: Array) -> Latents:
        return x

    probe = __call__

    def window(self, window: Window) -> "_Anything":
        return self


def _makes(given: Any) -> bool:
    """Whether it is to be called for the part; `jax.tree_util.Partial` is a pytree, and may be a part."""
    return isinstance(given, type) or inspect.isroutine(given) or type(given) is functools.partial


def _check_pytree(what: str, made: Any, methods: tuple[str, ...]) -> None:
    if isinstance(made, type) or not all(hasattr(made, method) for method in methods):
        names = " and ".join(f"`{method}`" for method in methods)
        raise InputError(f"{what}: {_named(made)} is no object with {names}: see nvs_jax.diffusion.{what.capitalize()}")
    if jax.tree_util.all_leaves([made]):
        raise InputError(f"{what}: {_named(made)} is no pytree: decorate its class with nvs_jax.pytree.pytree")
    for leaf in jax.tree.leaves(made):
        if not isinstance(leaf, jax.Array | np.ndarray | np.generic | int | float):
            raise InputError(
                f"{what}: {_named(made)} has {_named(leaf)} among its fields: declare what is no array as "
                "nvs_jax.pytree.static()"
            )


def _check_result(what: str, function: Callable[..., Any], arguments: tuple[Any, ...], wanted: Any) -> None:
    """What a part gives must be shaped like something; a random key comes last."""
    try:
        found = jax.eval_shape(lambda *given: function(*given, jax.random.key(0)), *arguments)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} fails: {_line(error)}") from error
    if _shapes(found) != _shapes(wanted):
        raise InputError(f"{what} gives {_shapes(found)}, not {_shapes(wanted)}")


def _shapes(tree: Any) -> str:
    """Structure, shapes and dtypes, in a line."""
    return str(jax.tree.map(lambda leaf: f"{leaf.dtype}{_shape(leaf)}", tree)).replace("'", "")


def _shape(of: Any) -> str:
    return f"[{', '.join(map(str, getattr(of, 'shape', of)))}]"


def _named(thing: Any) -> str:
    return thing.__qualname__ if isinstance(thing, type) or inspect.isroutine(thing) else type(thing).__qualname__


def _line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
