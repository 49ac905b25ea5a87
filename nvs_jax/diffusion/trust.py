"""lambda(t, pose): how strongly a warped view steers a frame, in closed form.

The error of the modulated estimate is bounded by (15); with E|E_D| = v2 sigma and E|E_P| = v3 |dp| (16), lambda
minimises

    J(lambda) = v2 sigma / (1 + lambda) + v3 |dp| lambda / (1 + lambda) + v1 |log lambda|          (17)

whose global minimiser (18) depends on Q = v3 |dp| - v2 sigma alone. Equation numbers are the paper's. Any other model
of the two errors will do in place of (16), and |dp| may be one of every latent cell.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Bool, Float

from nvs_jax.pytree import pytree

Error = Callable[[Array], Array]
"""The expected size of an error: of the network's as a function of sigma, or of the warp's as a function of |dp|."""


@pytree
class Coefficients:
    """v1, v2, v3 of (17). The defaults are what the release's search arrives at for one view and 25 or 100 steps."""

    v1: float | Float[Array, ""] = 0.001
    v2: float | Float[Array, ""] = 1000.0
    v3: float | Float[Array, ""] = 10.0


def optimal_trust(
    sigma: Float[Array, "*#shape"], distance: Float[Array, "*#shape"], coefficients: Coefficients
) -> Float[Array, "*shape"]:
    """w = lambda / (1 + lambda) for the lambda of (18), exact and stable in float32.

    Args:
        sigma: noise level over its maximum, in [0, 1].
        distance: |dp|, how far the pose is from the given view, over its maximum, in [0, 1].
        coefficients: v1 > 0, v2 and v3.

    >>> w = optimal_trust(jnp.array([0.0, 0.01, 0.02]), jnp.array(1.0), Coefficients())
    >>> print(w.round(4))
    [1.000e-04 5.000e-01 9.999e-01]
    """
    return trust_of_errors(coefficients.v2 * sigma, coefficients.v3 * distance, coefficients.v1)


def trust_of_errors(
    network: Float[Array, "*#shape"], warp: Float[Array, "*#shape"], v1: float | Float[Array, ""]
) -> Float[Array, "*shape"]:
    """w of (18) for any E|E_D| = `network` and E|E_P| = `warp`: Q is their difference, `warp` - `network`.

    >>> print(trust_of_errors(jnp.array([9.0, 1.0, 0.0]), jnp.array([0.0, 1.0, 9.0]), 1.0).round(3))
    [0.873 0.5   0.127]
    """
    q = warp - network
    smaller, outside = _smaller_lambda(q, jnp.asarray(v1))
    w = smaller / (1 + smaller)
    return jnp.where(outside, jnp.where(q > 0, w, 1 - w), 0.5)


def log_lambda(
    sigma: Float[Array, "*#shape"], distance: Float[Array, "*#shape"], coefficients: Coefficients
) -> Float[Array, "*shape"]:
    """log lambda of (18): finite where lambda itself leaves float32, and where w is 1 to its last digit.

    Arguments are those of `optimal_trust`, which is its sigmoid. A given view, which is trusted whatever (18) says, has
    no finite one: here distance 0 is a distance like any other.

    >>> log_lambda(jnp.array([0.0, 0.01, 1.0]), jnp.array(1.0), Coefficients(v1=1e-6)).round().tolist()
    [-16.0, 0.0, 21.0]
    """
    return log_lambda_of_errors(coefficients.v2 * sigma, coefficients.v3 * distance, coefficients.v1)


def log_lambda_of_errors(
    network: Float[Array, "*#shape"], warp: Float[Array, "*#shape"], v1: float | Float[Array, ""]
) -> Float[Array, "*shape"]:
    """log lambda of (18) for any two expected errors; see `trust_of_errors`.

    >>> log_lambda_of_errors(jnp.array([900.0, 1.0, 0.0]), jnp.array([0.0, 1.0, 900.0]), 1.0).round().tolist()
    [7.0, 0.0, -7.0]
    """
    q = warp - network
    smaller, outside = _smaller_lambda(q, jnp.asarray(v1))
    return jnp.where(outside, jnp.sign(q) * jnp.log(smaller), 0.0)


def _smaller_lambda(q: Float[Array, "*shape"], v1: Array) -> tuple[Float[Array, "*shape"], Bool[Array, "*shape"]]:
    """The root of (18) below 1, of |Q|, and where there is one: for Q > 4 v1; for Q < -4 v1 it is the reciprocal."""
    outside = jnp.abs(q) > 4 * v1
    # Where s = sqrt(Q^2 - 4 v1 |Q|) is not real the kink lambda = 1 is the minimum.
    size = jnp.where(outside, jnp.abs(q), 5 * v1)
    root = jnp.sqrt(size * (size - 4 * v1))
    return 2 * v1 / (size - 2 * v1 + root), outside


@pytree
class ClosedFormTrust:
    """w(sigma) of (18) for given frames: what the solver calls, at any sigma it evaluates.

    Attributes:
        distances: |dp| of each frame, or of each latent cell of each frame, to its nearest given view, over the
            largest; 0 marks a given view.
        sigma_scale: what noise levels are divided by.
        coefficients: of the error model (16).
    """

    distances: Float[Array, "f *cells"]
    sigma_scale: float | Float[Array, ""]
    coefficients: Coefficients

    def __call__(self, sigma: Float[Array, "*#shape"]) -> Float[Array, "*shape"]:
        """w of all frames at `sigma`; exactly 1 for a given view, whose warp is the truth."""
        w = optimal_trust(sigma / self.sigma_scale, self.distances, self.coefficients)
        return jnp.where(self.distances > 0, w, 1.0)


@pytree
class ErrorModelTrust:
    """As `ClosedFormTrust`, with any model of the errors; made by `error_model_trust`."""

    distances: Float[Array, "f *cells"]
    sigma_scale: float | Float[Array, ""]
    network_error: Partial
    warp_error: Partial
    v1: float | Float[Array, ""]

    def __call__(self, sigma: Float[Array, "*#shape"]) -> Float[Array, "*shape"]:
        """w at `sigma`; exactly 1 at a distance of 0."""
        w = trust_of_errors(self.network_error(sigma / self.sigma_scale), self.warp_error(self.distances), self.v1)
        return jnp.where(self.distances > 0, w, 1.0)


@pytree
class TabulatedTrust:
    """A table of w, for searches and experiments: linear in log sigma between its levels, constant beyond them.

    Attributes:
        sigmas: the levels of the table, all positive, falling.
        table: w at each level and frame.
    """

    sigmas: Float[Array, "steps"]
    table: Float[Array, "steps f"]

    def __call__(self, sigma: Float[Array, "*shape"]) -> Float[Array, "*shape f"]:
        """w of all frames at `sigma`.

        >>> trust = TabulatedTrust(jnp.array([100.0, 1.0]), jnp.array([[0.8, 1.0], [0.4, 0.0]]))
        >>> print(trust(jnp.array([700.0, 100.0, 10.0, 0.0])))
        [[0.8 1. ]
         [0.8 1. ]
         [0.6 0.5]
         [0.4 0. ]]
        """
        rising, rows = jnp.log(self.sigmas[::-1]), self.table[::-1]
        at = jnp.log(jnp.maximum(sigma, self.sigmas[-1]))
        return jax.vmap(lambda column: jnp.interp(at, rising, column), 1, -1)(rows)


def closed_form_trust(
    distances: Float[Array, "f *cells"],
    sigma_scale: float | Float[Array, ""],
    coefficients: Coefficients = Coefficients(),
) -> ClosedFormTrust:
    """The closed form for poses, or cells, at these distances (any unit: they are divided by their maximum)."""
    return ClosedFormTrust(_over_largest(distances), jnp.asarray(sigma_scale, distances.dtype), coefficients)


def error_model_trust(
    distances: Float[Array, "f *cells"],
    sigma_scale: float | Float[Array, ""],
    network_error: Error,
    warp_error: Error,
    v1: float | Float[Array, ""] = 0.001,
) -> ErrorModelTrust:
    """w of (18) with error models of your own in place of (16).

    Args:
        distances: |dp| of each frame or latent cell, any unit: divided by the largest here.
        sigma_scale: sigma is divided by it here.
        network_error: E|E_D| of sigma in [0, 1]. A function defined once, or a `jax.tree_util.Partial` of one with its
            parameters, in which the result is then differentiable.
        warp_error: E|E_P| of |dp| in [0, 1], likewise.
        v1: weight of |log lambda|.

    >>> trust = error_model_trust(jnp.arange(3.0), 700.0, jnp.sqrt, Partial(jnp.multiply, 0.2))
    >>> print(trust(jnp.array(7.0)).round(3))
    [1.   0.5  0.01]
    """
    return ErrorModelTrust(
        distances=_over_largest(distances),
        sigma_scale=jnp.asarray(sigma_scale, distances.dtype),
        network_error=_as_pytree(network_error),
        warp_error=_as_pytree(warp_error),
        v1=v1,
    )


def _as_pytree(function: Error) -> Partial:
    return function if isinstance(function, Partial) else Partial(function)


def _over_largest(distances: Float[Array, "f *cells"]) -> Float[Array, "f *cells"]:
    return distances / jnp.maximum(distances.max(), jnp.finfo(distances.dtype).tiny)


def trust_table(
    sigmas: Float[Array, "steps"],
    distances: Float[Array, "f"],
    coefficients: Coefficients = Coefficients(),
) -> Float[Array, "steps f"]:
    """The table w[step, frame] of (18), differentiable in everything.

    Args:
        sigmas: noise levels, largest first; divided by the first here. A final 0 may be left on.
        distances: |dp| of each frame to its nearest given view, any unit; divided by the largest here.
        coefficients: of the error model (16).

    >>> trust_table(jnp.array([700.0, 1.0, 0.002]), jnp.array([0.0, 0.5, 1.0])).round(2).tolist()
    [[1.0, 1.0, 1.0], [1.0, 0.0..., 0.0...], [1.0, 0.0, 0.0]]
    """
    trust = closed_form_trust(distances, sigmas[0], coefficients)
    return trust(sigmas[:, None])
