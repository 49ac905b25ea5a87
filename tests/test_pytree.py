"""Dataclasses as pytrees."""

import jax
import jax.numpy as jnp
import pytest

from nvs_jax.pytree import pytree, static


@pytree
class Scale:
    factor: jax.Array
    power: int = static(default=1)

    def __call__(self, x):
        return self.factor * x**self.power


@pytree
class Shift(Scale):
    """As many fields, of the same names, and another meaning."""

    def __call__(self, x):
        return self.factor + x**self.power


def test_leaves_are_the_fields_that_are_not_static():
    tree = Scale(jnp.float32(2), power=3)
    assert jax.tree.leaves(tree) == [2]
    assert jax.tree.map(lambda leaf: leaf + 1, tree) == Scale(jnp.float32(3), power=3)
    ((path, _),) = jax.tree.leaves_with_path(tree)
    assert jax.tree_util.keystr(path) == ".factor"


def test_classes_of_the_same_fields_are_different_structures():
    """With JAX's own registration of dataclasses they are not, and jit confuses them."""
    structures = [jax.tree.structure(kind(jnp.float32(2))) for kind in (Scale, Shift)]
    assert structures[0] != structures[1]


def test_static_fields_belong_to_the_structure():
    assert jax.tree.structure(Scale(jnp.float32(2), 1)) != jax.tree.structure(Scale(jnp.float32(2), 2))


@pytest.mark.parametrize("kind", [Scale, Shift])
def test_jit_takes_and_gives_them(kind):
    doubled = jax.jit(lambda tree: jax.tree.map(lambda leaf: 2 * leaf, tree))(kind(jnp.float32(3), power=2))
    assert type(doubled) is kind
    assert doubled(2.0) == kind(jnp.float32(6), power=2)(2.0)


def test_a_subclass_may_check_its_values():
    @pytree
    class Even:
        number: int = static()

        def __post_init__(self):
            if self.number % 2:
                raise ValueError("odd")

    with pytest.raises(ValueError, match="odd"):
        Even(3)
    assert jax.tree.leaves(Even(4)) == []
