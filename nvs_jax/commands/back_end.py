"""Whether JAX can compute at all, asked before anything else is done."""

import os

import jax

from nvs_jax.errors import InputError


def require_back_end() -> None:
    """Start JAX's back end: a TPU, a GPU, or the CPU.

    Raises:
        InputError: it cannot be started.
    """
    try:
        jax.devices()
    except (RuntimeError, AssertionError) as error:  # an assertion is all that some back ends say
        named = os.environ.get("JAX_PLATFORMS")
        reason = " ".join(str(error).split()).split(" (set JAX_PLATFORMS")[0][:300] or "JAX is not installed for it"
        tried = f"the back end of JAX_PLATFORMS={named} cannot" if named else "no back end of JAX can"
        raise InputError(
            f"{tried} be started: {reason}; install JAX for it, or unset JAX_PLATFORMS to take what is there"
        ) from None
