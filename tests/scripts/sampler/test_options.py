import pytest

from nvs_jax.errors import InputError
from nvs_jax.settings import registry
from scripts.sampler.options import Options


def test_every_solver_there_is_is_compared():
    assert Options().solvers == tuple(registry.solvers())


def test_settings_are_all_combinations_with_sizes_in_pairs():
    options = Options(
        guidance=("none", "post"), frames=(4, 8), height=(8, 16), width=(12, 24), dtype=("float32",), mesh=("1x2x1",)
    )
    found = list(options.settings())
    assert len(set(found)) == len(found) == 8
    assert {(one.height, one.width) for one in found} == {(8, 12), (16, 24)}
    assert {one.mesh for one in found} == {(1, 2, 1)}
    assert str(found[0]) == "none, 4 x 8 x 12, float32, mesh 1x2x1"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"height": (8, 16)}, "give pairs"),
        ({"steps": (0,)}, "--steps must lie"),
        ({"against": "torch"}, "--against torch needs"),
        ({"against": "torch", "weights": "folder", "dtype": ("bfloat16",)}, "--against torch needs"),
        ({"mesh": ("2x2",)}, "branches, frames and rows, as 1x4x2, not '2x2'"),
        ({"mesh": ("1x0x1",)}, "--mesh takes"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        list(Options(**wrong).settings())


def test_torch_is_beside_float32():
    assert Options(against="torch", weights="folder", dtype=("float32",)).against == "torch"
