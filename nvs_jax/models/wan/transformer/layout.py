"""How the tokens of a video are divided among the devices of a mesh (`nvs_jax.sharding`).

Every device has some locations, with their tokens of all frames: what is done to each token needs nothing of others.
For attention to each other it exchanges them for all tokens of some heads, and back (an all-to-all each); where heads
do not divide evenly, it is given all keys and values. Without a mesh nothing here changes anything.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from nvs_jax.models.attention import attention
from nvs_jax.sharding import constrain, current, location_shards, pad


def spread(x: Float[Array, "b f l c"]) -> Float[Array, "b f m c"]:
    """Tokens by frame with each device's locations on it; padded so that they divide evenly."""
    return x if current() is None else constrain(pad(x, 2, location_shards(len(x))), "rows")


def sequence(x: Shaped[Array, "b f l *c"]) -> Shaped[Array, "b n *c"]:
    """All tokens in one axis: frame by frame, on a mesh location by location, so that it is divided as they are."""
    if current() is None:
        return x.reshape(len(x), -1, *x.shape[3:])
    return constrain(x.swapaxes(1, 2).reshape(len(x), -1, *x.shape[3:]), "tokens")


def by_frame(y: Float[Array, "b n c"], frames: int) -> Float[Array, "b f l c"]:
    """Undo it."""
    if current() is None:
        return y.reshape(len(y), frames, -1, y.shape[-1])
    tokens = constrain(y, "tokens").reshape(len(y), -1, frames, y.shape[-1])
    return constrain(tokens.swapaxes(1, 2), "rows")


def in_sequence(table: Float[Array, "n d"], frames: int, batch: int) -> Float[Array, "m d"]:
    """What tokens are told, frame by frame, in the order of the sequence, whose padding is told zeros."""
    if current() is None:
        return table
    each = table.reshape(frames, -1, table.shape[-1])
    return pad(each, 1, location_shards(batch)).swapaxes(0, 1).reshape(-1, table.shape[-1])


def attend_to_each_other(
    query: Float[Array, "b n heads d"],
    key: Float[Array, "b n heads d"],
    value: Float[Array, "b n heads d"],
    tokens: int,
) -> Float[Array, "b n heads d"]:
    """Attention of all tokens of a video.

    Args:
        query: of a sequence.
        key: of it.
        value: of it.
        tokens: how many there are; what follows is padding, to which nothing attends.
    """
    if current() is None:
        return attention(query, key, value)
    missing = query.shape[1] - tokens
    if query.shape[2] % location_shards(len(query)):
        key, value = (constrain(x, "branches")[:, :tokens] for x in (key, value))
        return attention(query, key, value, divided="queries")
    query, key, value = (constrain(constrain(x, "tokens"), "heads")[:, :tokens] for x in (query, key, value))
    y = jnp.pad(attention(query, key, value, divided="heads"), ((0, 0), (0, missing), (0, 0), (0, 0)))
    return constrain(constrain(y, "heads"), "tokens")


def attend_across(
    query: Float[Array, "b n heads d"], key: Float[Array, "b m heads d"], value: Float[Array, "b m heads d"]
) -> Float[Array, "b n heads d"]:
    """Attention of the tokens of a sequence to what every device has: a text, a picture."""
    if current() is None:
        return attention(query, key, value)
    key, value = (constrain(x, "branches") for x in (key, value))
    return attention(query, key, value, divided="queries")
