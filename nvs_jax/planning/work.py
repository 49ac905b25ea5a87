"""What a program computes and moves, counted from its shapes: no compiler, kernels like the loops they stand for."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

_LAID_OUT = ("transpose", "reshape", "broadcast_in_dim", "squeeze", "convert_element_type", "copy")
"""What changes how an array lies, or how its numbers are written."""


@dataclass(frozen=True)
class Work:
    """Of one chip.

    Attributes:
        products: operations of convolutions and matrix products, a multiplication and an addition being two.
        attention: the same of attention (products of a batch of pairs of matrices, of which neither is a weight).
        weights: bytes of weights, read once for every product they take part in.
        activations: bytes that products read and write besides. What lies between products is taken to be fused into
            them, and attention's scores to stay in the chip, as do keys and values while queries come in slices: less
            cannot be moved.
        exchanges: how often a chip's share of an array is exchanged for another (an all-to-all).
        exchanged: bytes that a chip sends in them. Statistics of norms and the latents between programs are not in it.
    """

    products: float = 0
    attention: float = 0
    weights: float = 0
    activations: float = 0
    exchanges: float = 0
    exchanged: float = 0

    @property
    def flops(self) -> float:
        return self.products + self.attention

    def __add__(self, other: "Work") -> "Work":
        return Work(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def times(self, factor: float) -> "Work":
        return Work(*(factor * getattr(self, one.name) for one in fields(self)))


def count_work(program: ClosedJaxpr, chips: int = 1) -> Work:
    """What each of so many chips does in a program.

    What is outside `jax.shard_map` counts as divided evenly among them, padding included, but for the weights, which
    each chip reads whole; what is inside is one chip's own.

    Args:
        program: traced under the mesh it runs on (`jax.jit(f).trace(...).jaxpr`).
        chips: of the mesh; 1 for what each of them does whole.

    >>> import jax
    >>> import jax.numpy as jnp
    >>> product = jax.jit(lambda x, w: x @ w).trace(jnp.ones((6, 4)), jnp.ones((4, 2))).jaxpr
    >>> count_work(product, chips=2)
    Work(products=48.0, attention=0, weights=32, activations=72.0, exchanges=0, exchanged=0)
    """
    return _of_jaxpr(program.jaxpr, 1 / chips)


def _of_jaxpr(jaxpr: Jaxpr, share: float) -> Work:
    total, layouts = Work(), {}
    for equation in jaxpr.eqns:
        total += _of_equation(equation, share, layouts)
        if equation.primitive.name == "sharding_constraint":
            layouts[equation.outvars[0]] = equation.params["sharding"]
    return total


def _of_equation(equation: Any, share: float, layouts: Mapping[Any, Any]) -> Work:
    match equation.primitive.name:
        case "dot_general":
            return _of_dot(equation, share)
        case "conv_general_dilated":
            return _of_convolution(equation, share)
        case "sharding_constraint":
            return _of_exchange(equation, share, layouts)
        case "pallas_call":
            return Work()  # there is a branch for other platforms, which is counted
        case "cond":
            return _of_branches(equation, share)
        case "scan":
            body, length = equation.params["jaxpr"].jaxpr, equation.params["length"]
            again, kept = _kept(body, body.invars[: _constants(equation.params)])
            return _of_jaxpr(body, share).times(length) + Work(activations=share * (kept - length * again))
        case "shard_map":
            return _of_jaxpr(equation.params["jaxpr"], 1)
    return sum((_of_jaxpr(inner, share) for inner in _inside(equation.params)), Work())


def _constants(scan: Mapping[str, Any]) -> int:
    """How many inputs of a scan's body are the same in every turn; they come first."""
    return scan["num_consts"] if "num_consts" in scan else len(scan["ft_in"].unpack()[0])  # JAX 0.10, and since 0.11


def _kept(jaxpr: Jaxpr, constants: Sequence[Any]) -> tuple[int, int]:
    """Of keys and values that are the same in every turn of a loop, which slices of queries attend to: the bytes that
    are counted in a turn besides queries or results, and those of keys and values themselves."""
    known, again, kept = set(constants), 0, 0
    for equation in jaxpr.eqns:
        # Literals are no variables, and cannot be looked up.
        mine = [not isinstance(each, Literal) and each in known for each in equation.invars]
        if equation.primitive.name in _LAID_OUT and mine[0]:
            known.add(equation.outvars[0])
        elif equation.primitive.name == "dot_general" and equation.params["dimension_numbers"][1][0]:
            sizes = [_bytes(each) for each in _arrays(equation)]
            for index in (0, 1):
                if mine[index]:
                    again += sum(sizes) - max(sizes) - min(sizes[1 - index], sizes[2])
                    kept += sizes[index]
        elif equation.primitive.name not in ("scan", "cond", "while"):
            for inner in _inside(equation.params):
                if len(inner.invars) == len(mine):
                    inside = _kept(inner, [each for each, is_mine in zip(inner.invars, mine, strict=True) if is_mine])
                    again, kept = again + inside[0], kept + inside[1]
    return again, kept


def _inside(parameters: Mapping[str, Any]) -> Iterator[Jaxpr]:
    for value in parameters.values():
        if isinstance(value, ClosedJaxpr):
            yield value.jaxpr
        elif isinstance(value, Jaxpr):
            yield value


def _of_branches(equation: Any, share: float) -> Work:
    """The branch for any platform, where they are for platforms; else the one with most operations."""
    branches, platforms = equation.params["branches"], equation.params.get("branches_platforms")
    if platforms is not None and None in platforms:
        return _of_jaxpr(branches[platforms.index(None)].jaxpr, share)
    return max((_of_jaxpr(branch.jaxpr, share) for branch in branches), key=lambda work: work.flops)


def _of_dot(equation: Any, share: float) -> Work:
    left, right, result = _arrays(equation)
    (contracted, _), (batch, _) = equation.params["dimension_numbers"]
    flops = 2 * share * result.size * math.prod(left.shape[axis] for axis in contracted)
    sizes = [_bytes(array) for array in (left, right, result)]
    if batch:  # of queries, keys and scores, or scores, values and results, the scores are the largest
        return Work(attention=flops, activations=share * (sum(sizes) - max(sizes)))
    return Work(products=flops, weights=sizes[1], activations=share * (sizes[0] + sizes[2]))


def _of_convolution(equation: Any, share: float) -> Work:
    image, kernel, result = _arrays(equation)
    out = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    # A strided convolution's gradient has zeros between its inputs, which need no products.
    inserted = math.prod(equation.params["lhs_dilation"])
    return Work(
        products=2 * share * result.size * kernel.size / out / inserted,
        weights=_bytes(kernel),
        activations=share * (_bytes(image) + _bytes(result)),
    )


def _of_exchange(equation: Any, share: float, layouts: Mapping[Any, Any]) -> Work:
    """From one layout to another, if the array has just been constrained to another."""
    before, after = layouts.get(equation.invars[0]), equation.params["sharding"]
    if before is None:
        return Work()
    homes = [
        {name: axis for axis, names in enumerate(sharding.spec) for name in _names(names)}
        for sharding in (before, after)
    ]
    moved = [name for name, axis in homes[0].items() if homes[1].get(name, axis) != axis]
    parts = math.prod(after.mesh.shape[name] for name in moved)
    if parts == 1:
        return Work()
    return Work(exchanges=1, exchanged=share * _bytes(equation.outvars[0].aval) * (1 - 1 / parts))


def _names(names: Any) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


def _arrays(equation: Any) -> tuple[Any, Any, Any]:
    left, right = equation.invars[:2]
    return left.aval, right.aval, equation.outvars[0].aval


def _bytes(array: Any) -> int:
    return array.size * array.dtype.itemsize
