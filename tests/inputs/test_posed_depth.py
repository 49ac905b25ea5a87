"""Depth maps that scenes name: what a step of theirs is worth, and when they are needed."""

import shutil

import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.inputs.posed_depth import NamedDepth
from nvs_jax.inputs.view import DepthFile
from tests.inputs.test_posed_views import DEPTHS, named_scene, read


@pytest.mark.parametrize(
    ("suffix", "shared", "png_scale", "unit", "said"),
    [
        ("png", {}, 5000.0, 1, "read as depth, 5000 steps a unit, as --png-scale says"),
        ("png", {"integer_depth_scale": 2e-4}, None, 1, "5000 steps a unit, as its integer_depth_scale says"),
        ("png", {"depth_unit_scale_factor": 2e-4}, None, 1, "5000 steps a unit, as its depth_unit_scale_factor says"),
        ("png", {"integer_depth_scale": 1e-3}, 5000.0, 1, "5000 steps a unit, as --png-scale says"),
        ("png", {}, None, 5, "read as depth, 1000 steps a unit"),
        ("npy", {}, None, 1, "scene's own .npy depth is read as depth in the cameras' units"),
        ("npy", {"integer_depth_scale": 2e-4}, None, 1, "read as depth in the cameras' units"),
        ("npy", {"depth_unit_scale_factor": 0.5}, None, 0.5, "2 steps a unit, as its depth_unit_scale_factor says"),
        ("npy", {}, 5000.0, 1, "--png-scale is for a .png of depth"),
    ],
)
def test_what_a_step_of_named_depth_is_worth(tmp_path, capsys, suffix, shared, png_scale, unit, said):
    depths = read(named_scene(tmp_path, suffix, **shared), NamedDepth(png_scale=png_scale))
    np.testing.assert_allclose(depths[0], DEPTHS * unit, rtol=1e-6)
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_depth_that_a_scene_names_need_not_be_there_where_another_is_given(tmp_path):
    scene = named_scene(tmp_path / "scene", "npy", ply_file_path="none.ply")
    (tmp_path / "maps").mkdir()
    shutil.move(scene / "a.npy", tmp_path / "maps")
    np.testing.assert_allclose(read(scene, DepthFile(tmp_path / "maps", "depth"))[0], DEPTHS)
    with pytest.raises(InputError, match=r"depth_file_path: there is no file 'a.npy'"):
        read(scene, NamedDepth())
