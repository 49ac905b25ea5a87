import pytest

from nvs_jax.planning.programs import build_program
from nvs_jax.planning.published import published_model
from scripts.accelerator import families
from scripts.accelerator.families import model_and_request
from scripts.accelerator.sizes import FULL, TOY

STAGES = {
    "wan2_1_t2v_1_3b": families.wan_t2v,
    "wan2_1_vace_1_3b": families.wan_vace,
    "wan2_2_ti2v_5b": families.wan_ti2v,
    "wan2_1_i2v_14b_480p": families.wan_i2v,
}


@pytest.mark.parametrize("name", STAGES)
def test_a_step_of_every_model_is_finite_and_its_work_is_counted(name):
    """Whatever it is told of a video, made as small as it can be."""
    (row,) = STAGES[name](TOY)
    assert row.what == f"{name}, 5 frames of 64x64, a step of DGS"
    assert not row.failed and row.figures["ms"] > 0
    model, request = model_and_request(name, TOY)
    of_five = build_program("sample", model, request).work().flops
    assert row.figures["TFLOP"] == pytest.approx(of_five / 5 / 1e12)


def test_at_full_size_a_model_makes_what_it_was_made_for():
    model, request = model_and_request("wan2_1_t2v_1_3b", FULL)
    assert model == published_model("wan2_1_t2v_1_3b")
    assert (request.frames, request.height, request.width, request.dtype) == (81, 480, 832, "bfloat16")
