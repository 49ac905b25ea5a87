"""One state in one file: what comes back is what went in, and nothing else comes in."""

import hashlib
import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion.sampler import Carry
from nvs_jax.runs.states import read_state, write_state

ENTRIES = [np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6, 1), np.asarray(3, np.int32), np.zeros(2, np.uint32)]


def carry(fill, step, key, dtype=jnp.float32):
    memory = {"older": jnp.full((2, 3), 2 * fill, dtype), "times": (jnp.asarray(fill > 0),)}
    return Carry(jnp.full((1, 1, 1, 6, 1), fill, dtype), memory, jnp.asarray(step, jnp.int32), key)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("impl", ["threefry2x32", "rbg"])
def test_a_state_comes_back_with_its_types_its_tree_and_its_key(impl, dtype, tmp_path):
    kept = carry(0.3, 7, jax.random.key(5, impl=impl), dtype)
    write_state(tmp_path / "000007", kept)
    back = read_state(tmp_path / "000007", carry(0, 0, jax.random.key(0, impl=impl), dtype))
    assert back is not None
    assert jax.random.key_impl(back.key) == jax.random.key_impl(kept.key)
    assert (jax.random.bits(back.key) == jax.random.bits(kept.key)).all()
    was, now = ((one.x, one.memory, one.step) for one in (kept, back))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b, strict=True), was, now)
    assert [path.name for path in tmp_path.iterdir()] == ["000007"]


def test_a_state_of_other_shapes_is_none(tmp_path):
    write_state(tmp_path / "000007", carry(1, 7, jax.random.key(5)))
    fresh = carry(0, 0, jax.random.key(0))
    assert read_state(tmp_path / "000007", Carry(fresh.x[..., :5, :], fresh.memory, fresh.step, fresh.key)) is None
    assert read_state(tmp_path / "000007", Carry(fresh.x, fresh.memory["older"], fresh.step, fresh.key)) is None


def sealed(path, arrays, save=np.savez, longer=0):
    """A file of which every byte is as its digest says."""
    content = io.BytesIO()
    save(content, *arrays)
    content.write(bytes(longer))
    path.write_bytes(hashlib.sha256(content.getvalue()).digest() + content.getvalue())
    return path


def test_what_is_pickled_packed_or_too_long_is_never_read(tmp_path):
    fresh = Carry(jnp.zeros((1, 1, 1, 6, 1)), (), jnp.zeros((), jnp.int32), jax.random.key(0))
    assert read_state(sealed(tmp_path / "sound", ENTRIES), fresh) is not None
    pickled = [np.array([{"a": "dict"}], dtype=object), *ENTRIES[1:]]
    assert read_state(sealed(tmp_path / "pickled", pickled), fresh) is None
    assert read_state(sealed(tmp_path / "packed", ENTRIES, np.savez_compressed), fresh) is None
    assert read_state(sealed(tmp_path / "long", ENTRIES, longer=2**17), fresh) is None
