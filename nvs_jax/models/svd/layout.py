"""How video activations [batch, frame, row, column, channel] are folded for layers that see less than a video.

Every change of layout in the networks is made here, and with it how they are sharded (`nvs_jax.sharding`): whole frames
on a device outside temporal layers, all frames of a part of the locations inside. What is folded is padded to equal
parts first, since an axis made of two is divided evenly or not at all; the rest the compiler pads.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from nvs_jax.sharding import Layout, batch_shards, constrain, current, frame_shards, location_shards, pad


def per_frame(
    layer: Callable[..., Array], x: Float[Array, "b f *size c"], *shared: Array
) -> Float[Array, "b f *out d"]:
    """Apply `layer` to every frame on its own, by folding frames into the batch.

    Args:
        layer: takes [n, *size, c] and what is shared, one row for each n.
        x: a batch of videos.
        shared: arrays [b, ...] that all frames of a batch element have in common; or all of them [1, ...], for all
            elements, which the layer gets as they are.
    """
    if all(len(array) == 1 for array in shared):
        return _each_frame(lambda frames: layer(frames, *shared), x)
    f = x.shape[1]
    return _each_frame(layer, x, *(jnp.repeat(array[:, None], f, axis=1) for array in shared))


def over_space(
    block: Callable[..., Array], x: Float[Array, "b f h w c"], *each: Shaped[Array, "b f"]
) -> Float[Array, "b f h w c"]:
    """Apply `block` to the sequences of locations of each frame: [b*f, h*w, c].

    Args:
        block: takes sequences, and one value of `each` for every sequence.
        x: a batch of videos.
        each: what frames are told.
    """
    b, f, h, w, c = x.shape
    return _each_frame(block, constrain(x, "frames").reshape(b, f, h * w, c), *each).reshape(x.shape)


def over_time(
    block: Callable[..., Array], x: Float[Array, "b f h w c"], *each: Shaped[Array, "b l"]
) -> Float[Array, "b f h w c"]:
    """Apply `block` to the sequences of frames at each location: [b*h*w, f, c].

    Args:
        block: takes sequences, and one value of `each` for every sequence.
        x: a batch of videos.
        each: what locations, counted row by row, are told.
    """
    b, f, h, w, c = x.shape
    if _is_whole(x):
        # The transpose first, which takes less of a TPU's memory than the order that a mesh needs.
        y = block(x.transpose(0, 2, 3, 1, 4).reshape(b * h * w, f, c), *(array.reshape(-1) for array in each))
        return y.reshape(b, h, w, f, c).transpose(0, 3, 1, 2, 4)
    sequences, parts = _fold(_to_locations(x).swapaxes(1, 2), "sequences"), location_shards(b)
    y = block(sequences, *(_fold(pad(array, 1, parts), "sequences") for array in each))
    return _to_frames(_unfold(y, b, "sequences").swapaxes(1, 2), x.shape)


def through_time(
    block: Callable[..., Array], x: Float[Array, "b f h w c"], *shared: Array
) -> Float[Array, "b f h w d"]:
    """Apply `block` to videos in which it mixes frames, but locations only in statistics.

    Args:
        block: takes [b, f, *size, c] and what is shared.
        x: a batch of videos.
        shared: arrays that are handed on.
    """
    if _is_whole(x):
        return block(x, *shared)
    locations = x.shape[2] * x.shape[3]
    # Statistics must not see the padding: the compiler's own they do not.
    y = constrain(_to_locations(x)[:, :, :locations], "rows")
    y = block(y[:, :, :, None], *shared)[:, :, :, 0]
    return _to_frames(pad(y, 2, location_shards(len(x))), (*x.shape[:-1], y.shape[-1]))


def _is_whole(x: Array) -> bool:
    """Whether a batch of videos is divided among no devices; a single frame, such as the last of a chunked decoding, is
    not worth it: with all of it everywhere nothing has to be exchanged, and it takes no longer."""
    return current() is None or x.shape[1] == 1


def _each_frame(layer: Callable[..., Array], x: Array, *each: Array) -> Array:
    """`layer` of all frames [b, f, ...] folded into one axis."""
    b, f = x.shape[:2]
    if _is_whole(x):
        y = layer(*(array.reshape(b * f, *array.shape[2:]) for array in (x, *each)))
        return y.reshape(b, f, *y.shape[1:])
    parts = frame_shards(b)
    folded = [_fold(pad(constrain(array, "frames"), 1, parts), "pictures") for array in (x, *each)]
    return constrain(_unfold(layer(*folded), b, "pictures")[:, :f], "frames")


def _to_locations(x: Array) -> Array:
    """[b, f, h, w, c] to [b, f, l, c], l being h*w and padding: from whole frames to parts of all (an all-to-all)."""
    b, f, h, w, c = x.shape
    y = constrain(x, "frames").reshape(b, f, h * w, c)
    y = pad(pad(y, 1, frame_shards(b)), 2, location_shards(b))
    return constrain(constrain(y, "frames"), "rows")[:, :f]


def _to_frames(y: Array, shape: tuple[int, ...]) -> Array:
    """Undo it."""
    b, f, h, w, _ = shape
    y = constrain(constrain(pad(y, 1, frame_shards(b)), "rows"), "frames")
    return constrain(y[:, :f, : h * w].reshape(shape), "frames")


def _fold(x: Array, layout: Layout) -> Array:
    """[b, n, ...] to [b*n, ...] on a mesh: n is divided, and must stay so. What a device holds of b is innermost."""
    b, n = x.shape[:2]
    groups = batch_shards(b)
    if groups < b:
        x = x.reshape(groups, b // groups, n, *x.shape[2:]).swapaxes(1, 2)
    return constrain(x.reshape(b * n, *x.shape[2 + (groups < b) :]), layout, b)


def _unfold(y: Array, b: int, layout: Layout) -> Array:
    """Undo it."""
    n, groups = len(y) // b, batch_shards(b)
    y = constrain(y, layout, b)
    if groups < b:
        y = y.reshape(groups, n, b // groups, *y.shape[1:]).swapaxes(1, 2)
    return y.reshape(b, n, *y.shape[1 if groups == b else 3 :])
