"""Random numbers that belong to places: hashes of a lattice, and noise that is smooth between its points."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, UInt32

_PRIMES = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
# Octaves of noise are turned against each other (a 3-4-5 turn about y, then z), which hides their lattices.
_TURN = np.array([[0.8, 0.0, 0.6], [0.0, 1.0, 0.0], [-0.6, 0.0, 0.8]]) @ np.array(
    [[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]]
)


def scatter(cell: Float[Array, "3 *n"]) -> tuple[Array, Array, Array]:
    """Integer coordinates as three large numbers whose exclusive or `hashed` turns into a random one."""
    x, y, z = cell.astype(jnp.int32).astype(jnp.uint32)
    return x * jnp.uint32(_PRIMES[0]), y * jnp.uint32(_PRIMES[1]), z * jnp.uint32(_PRIMES[2])


def hashed(h: UInt32[Array, "*n"]) -> Float[Array, "*n"]:
    """A number in [0, 1), the same always and everywhere."""
    h = (h ^ (h >> 15)) * jnp.uint32(0x2C1B3C6D)
    h = (h ^ (h >> 12)) * jnp.uint32(0x297A2D39)
    return (h >> 8).astype(jnp.float32) / 2**24


def value_noise(p: Float[Array, "3 *n"]) -> Float[Array, "*n"]:
    """Smooth random values in [0, 1): hashes of the integer lattice, interpolated."""
    cell = jnp.floor(p)
    t = p - cell
    t = t * t * (3 - 2 * t)
    x, y, z = ((low, low + jnp.uint32(prime)) for low, prime in zip(scatter(cell), _PRIMES, strict=True))

    def blend(a: Array, b: Array, t: Array) -> Array:
        return a + (b - a) * t

    def edge(i: int, j: int) -> Array:
        return blend(hashed(x[i] ^ y[j] ^ z[0]), hashed(x[i] ^ y[j] ^ z[1]), t[2])

    return blend(blend(edge(0, 0), edge(0, 1), t[1]), blend(edge(1, 0), edge(1, 1), t[1]), t[0])


def octaves_of_noise(p: Float[Array, "3 r"], count: int, apart: float) -> Float[Array, "o r"]:
    """Noise within +-1/2 at so many scales, each half of the one before; `apart` is between their origins."""
    scales = np.stack([2.0**octave * np.linalg.matrix_power(_TURN, octave) for octave in range(count)])
    turned = jnp.einsum("oij,jr->ior", jnp.asarray(scales, p.dtype), p, precision="highest")
    return value_noise(turned + apart * jnp.arange(count, dtype=p.dtype)[:, None]) - 0.5
