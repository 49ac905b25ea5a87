"""How the work is divided among devices: a mesh with named axes, and what each array's axes mean on it.

Under `use(mesh)` the networks divide a video of frames: spatial layers work on whole frames, each on its device, and
layers through time on all frames of a part of the locations. Without a mesh everything here is the identity. This
module knows nothing of the others, so that all may import it.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.experimental.mesh_utils import create_device_mesh
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding, PartitionSpec, Sharding
from jaxtyping import Array

from nvs_jax.errors import InputError

AXES = ("branches", "frames", "rows")
"""Of a mesh: batch elements (the branches of classifier-free guidance), frames of a video, rows of a frame."""

Layout = Literal[
    "latents", "frames", "pictures", "rows", "sequences", "tokens", "heads", "branches", "columns", "replicated"
]
"""What is divided, and of which array:

- latents [b, f, ...]: frames, alike in all branches; between the network's evaluations.
- frames [b, f, h, ...]: batch elements, frames and rows; outside temporal layers.
- pictures [b*f, h, ...]: the same, folded.
- rows [b, f, l, ...]: batch elements and locations (rows and columns in one axis); inside temporal layers.
- sequences [b*l, ...]: the same, folded.
- tokens [b, n, ...]: batch elements and tokens of a video, whose locations are divided as in rows.
- heads [b, n, heads, ...]: batch elements and heads of an attention.
- branches [b, ...]: batch elements alone.
- columns [b, f, h, w, ...]: batch elements and columns.
- replicated: nothing.
"""


def make_mesh(branches: int = 1, frames: int = 1, rows: int = 1, devices: Sequence[Any] | None = None) -> Mesh:
    """A mesh of `branches * frames * rows` devices; docs/sharding.md says which is best.

    Args:
        branches: parts of the batch; 2 evaluates the branches of classifier-free guidance beside each other.
        frames: parts of the video.
        rows: parts of every frame, in layers that see whole frames.
        devices: to take them from; None: all there are, those of other processes included.

    Raises:
        InputError: there are not so many devices, or a number is not positive.

    >>> dict(make_mesh(frames=1).shape)
    {'branches': 1, 'frames': 1, 'rows': 1}
    """
    shape = branches, frames, rows
    devices = jax.devices() if devices is None else devices
    if min(shape) < 1:
        raise InputError(f"a mesh of {branches}x{frames}x{rows} devices makes no sense: give numbers from 1")
    count = math.prod(shape)
    if count > len(devices):
        raise InputError(
            f"a mesh of {branches}x{frames}x{rows} (branches, frames, rows) needs {count} devices, {len(devices)} are "
            "there: ask for fewer"
        )
    # As `jax.make_mesh`, which refuses axes longer than a side of the slice on some TPUs: 8 parts on 4x4 chips.
    placed = create_device_mesh(shape, list(devices[:count]), allow_split_physical_axes=True)
    return Mesh(placed, AXES, axis_types=(AxisType.Auto,) * 3)


def use(mesh: Mesh | None) -> AbstractContextManager[object]:
    """A context in which what is jitted is divided over the mesh; None changes nothing."""
    return nullcontext() if mesh is None else jax.set_mesh(mesh)


def replicated(mesh: Mesh) -> NamedSharding:
    """Whole on every device."""
    return NamedSharding(mesh, PartitionSpec())


Tree = TypeVar("Tree")


def put(array: Array | np.ndarray, sharding: Sharding) -> Array:
    """An array on the devices of a sharding; each process puts what its own devices get.

    Args:
        array: the whole, and the same in every process.
        sharding: where it goes.
    """
    if sharding.is_fully_addressable:
        return jax.device_put(array, sharding)
    # Not `device_put`, which has all processes compare their values over the network.
    values = np.asarray(array)
    return jax.make_array_from_callback(values.shape, sharding, lambda index: values[index])


def place(tree: Tree, mesh: Mesh | None) -> Tree:
    """A pytree of arrays, whole on every device of the mesh, but for divided weights; None changes nothing.

    Every process of the mesh must bring the same values.
    """
    if mesh is None:
        return tree
    whole = replicated(mesh)
    there = whole, _parts_of_weights(mesh)

    def move(array: Any) -> Any:
        if not isinstance(array, jax.Array | np.ndarray) or getattr(array, "sharding", None) in there:
            return array  # or a number, which is everywhere
        if jnp.issubdtype(array.dtype, jax.dtypes.prng_key):
            return jax.random.wrap_key_data(put(jax.random.key_data(array), whole), impl=jax.random.key_impl(array))
        return put(array, whole)

    return jax.tree.map(move, tree)


def of_first_process(tree: Tree, mesh: Mesh | None) -> Tree:
    """The numbers that the first process of the mesh has, in all of them; without other processes what it is given.

    Random keys stay as they are: they come from the seed.
    """
    if mesh is None or len({device.process_index for device in mesh.devices.flat}) == 1:
        return tree
    from jax.experimental.multihost_utils import broadcast_one_to_all

    def first(leaf: Any) -> Any:
        is_key = jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return leaf if is_key else jnp.asarray(broadcast_one_to_all(np.asarray(leaf)))

    return jax.tree.map(first, tree)


def current() -> AbstractMesh | None:
    """The mesh in use, if it is one of `make_mesh`'s; None also inside `over_batch`, where a device is on its own."""
    mesh = jax.sharding.get_abstract_mesh()
    return mesh if mesh.axis_names == AXES and not mesh.manual_axes else None


def constrain(x: Array, layout: Layout, batch: int | None = None) -> Array:
    """Say how `x` is divided; for what is being jitted only, and the identity without a mesh.

    Sizes that do not divide evenly are padded by the compiler, inside the program.

    Args:
        x: an array as `Layout` describes it.
        layout: its layout.
        batch: b, of the folded layouts; what is not folded knows its own.
    """
    mesh = current()
    if mesh is None or not isinstance(x, Tracer) or not x.ndim:
        return x
    spec = _spec(mesh, x.shape, layout, x.shape[0] if batch is None else batch)
    return jax.lax.with_sharding_constraint(x, PartitionSpec(*spec[: x.ndim]))


def batch_shards(batch: int) -> int:
    """Into how many parts a batch of this size is divided."""
    mesh = current()
    return 1 if mesh is None else _size(mesh, _batch_axes(mesh, batch))


def frame_shards(batch: int) -> int:
    """Into how many parts the frames of a batch of this size are divided, outside temporal layers."""
    mesh = current()
    return 1 if mesh is None else _size(mesh, _frame_axes(mesh, batch))


def location_shards(batch: int) -> int:
    """Into how many parts its locations are divided, inside temporal layers."""
    mesh = current()
    return 1 if mesh is None else _size(mesh, ("rows", *_frame_axes(mesh, batch)))


def pad(x: Array, axis: int, parts: int) -> Array:
    """Zeros at the end of an axis, so that it divides into equal parts.

    >>> pad(jnp.ones((2, 5)), 1, 4).shape
    (2, 8)
    """
    missing = -x.shape[axis] % parts
    return x if not missing else jnp.pad(x, [(0, missing if i == axis else 0) for i in range(x.ndim)])


def parts_of_batch() -> int:
    """Into how many parts `over_batch` divides the first axis."""
    mesh = current()
    return 1 if mesh is None else _size(mesh, ("branches", "frames"))


def over_batch(function: Callable[..., Array], *arrays: Array) -> Array:
    """`function` of each device's share of the first axis, on its own (`jax.shard_map`): for loops and kernels.

    Devices that share rows all do the same.

    Args:
        function: maps every element of the first axis by itself.
        arrays: with the same first axis, of any length: it is padded with zeros, whose results are dropped.
    """
    mesh = current()
    if mesh is None or mesh.size == 1:
        return function(*arrays)
    spec = PartitionSpec(("branches", "frames"))
    padded = [pad(array, 0, parts_of_batch()) for array in arrays]
    # Without its check of replication, which kernels cannot take part in.
    shared = jax.shard_map(function, in_specs=(spec,) * len(arrays), out_specs=spec, check_vma=False)
    return shared(*padded)[: len(arrays[0])]


def over_shares(
    function: Callable[..., Array], arrays: Sequence[Array], layouts: Sequence[Layout], result: Layout
) -> Array:
    """`function` of each device's shares, on its own, as `over_batch`; what is divided must divide evenly.

    Args:
        function: of as many arrays.
        arrays: with the same batch elements.
        layouts: of each.
        result: of the result.
    """
    mesh = current()
    if mesh is None or mesh.size == 1:
        return function(*arrays)
    specs = [_spec(mesh, x.shape, layout, len(x)) for x, layout in zip(arrays, layouts, strict=True)]
    out = _spec(mesh, arrays[0].shape, result, len(arrays[0]))
    return jax.shard_map(function, in_specs=tuple(specs), out_specs=out, check_vma=False)(*arrays)


def divided_weights(mesh: Mesh) -> Callable[[tuple[int, ...]], NamedSharding]:
    """Where a layer's weights go that no device has room for: a part of each matrix to every device of the mesh.

    They are divided along the second axis, which is their inputs where layers lie along the first; what does not divide
    evenly is whole on every device.
    """
    parts, whole = _parts_of_weights(mesh), replicated(mesh)
    return lambda shape: parts if len(shape) > 1 and shape[1] % mesh.size == 0 else whole


def _parts_of_weights(mesh: Mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec(None, mesh.axis_names))


def _spec(mesh: AbstractMesh, shape: tuple[int, ...], layout: Layout, batch: int) -> PartitionSpec:
    first, frames = _batch_axes(mesh, batch), _frame_axes(mesh, batch)

    def rows(axis: int) -> str | None:
        return "rows" if len(shape) > axis and shape[axis] % mesh.shape["rows"] == 0 else None

    match layout:
        case "latents":
            return PartitionSpec(None, "frames")
        case "frames":
            return PartitionSpec(first, frames, rows(2))
        case "pictures":
            return PartitionSpec((*first, *frames), rows(1))
        case "rows":
            return PartitionSpec(first, None, ("rows", *frames))
        case "sequences":
            return PartitionSpec((*first, "rows", *frames))
        case "tokens":
            return PartitionSpec(first, ("rows", *frames))
        case "heads":
            return PartitionSpec(first, None, ("rows", *frames))
        case "columns":
            return PartitionSpec(first, None, None, ("rows", *frames))
        case "branches":
            return PartitionSpec(first)
        case "replicated":
            return PartitionSpec()


def _batch_axes(mesh: AbstractMesh, batch: int) -> tuple[str, ...]:
    """A batch that cannot be divided among the branches leaves their devices to its frames."""
    return ("branches",) if batch % mesh.shape["branches"] == 0 else ()


def _frame_axes(mesh: AbstractMesh, batch: int) -> tuple[str, ...]:
    return ("frames",) if _batch_axes(mesh, batch) else ("branches", "frames")


def _size(mesh: AbstractMesh, axes: tuple[str, ...]) -> int:
    return math.prod(mesh.shape[axis] for axis in axes)
