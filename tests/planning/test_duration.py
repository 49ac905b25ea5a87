"""How long a render takes, beside what was measured and in proportion."""

from dataclasses import replace

import pytest

from nvs_jax.models.families import FAMILIES, family
from nvs_jax.planning.devices import parse_device
from nvs_jax.planning.duration import stages, time_lines
from nvs_jax.planning.programs import Model
from nvs_jax.planning.published import entries_of, published_model, usual_request
from nvs_jax.planning.request import PROGRAMS, Request
from nvs_jax.planning.table import read_table

TABLE = [entry for entry in read_table() if entry.model == "svd_xt"]
FULL = Request()
V5E = parse_device("v5e:1")


def seconds(device: str = "v5e:1", request: Request = FULL, steps: int = 25) -> dict[str, float]:
    model = Model()
    found = stages(TABLE, parse_device(device), request, model.runs(steps), model.family.reached)
    return {stage.program: stage.expected for stage in found}


def test_what_an_h200_was_measured_to_take():
    """Its peak is that of an H100; docs/accelerators.md has the measurements."""
    found = seconds("gpu:80GB")
    assert found["sample"] / 25 == pytest.approx(0.3600, rel=0.02)
    assert found["encode"] == pytest.approx(0.31, rel=0.05)
    assert found["decode"] == pytest.approx(0.789, rel=0.05)
    narrow = replace(FULL, vae_dtype="bfloat16")
    assert seconds("gpu:80GB", narrow)["decode"] == pytest.approx(0.4255, rel=0.05)
    assert seconds("v5e:1", narrow)["decode"] == seconds("v5e:1")["decode"]  # whose products take bfloat16 anyway


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("wan2_1_t2v_1_3b", {"encode": 0.7918, "sample": 0.974, "decode": 1.395}),
        ("wan2_1_vace_1_3b", {"sample": 1.505}),
        ("wan2_1_i2v_14b_480p", {"sample": 5.51}),
        ("wan2_2_ti2v_5b", {"sample": 1.703}),
    ],
)
def test_what_wans_models_were_measured_to_take(name, measured):
    model = published_model(name)
    asked = parse_device("gpu:80GB"), usual_request(model), model.runs(1), model.family.reached
    found = {stage.program: stage.expected for stage in stages(entries_of(read_table(), model), *asked)}
    # One share stands for four models, of which each reaches another: 57 to 62 %.
    assert {program: found[program] for program in measured} == pytest.approx(measured, rel=0.06)


def test_time_grows_with_steps_frames_and_pixels():
    base, request = seconds(), Request()
    assert seconds(steps=50)["sample"] == pytest.approx(2 * base["sample"])
    assert seconds(request=replace(request, frames=50))["sample"] == pytest.approx(2 * base["sample"], rel=0.02)
    half = seconds(request=replace(request, height=288))
    assert 0.3 * base["sample"] < half["sample"] < 0.5 * base["sample"]  # attention is quadratic
    assert half["embed"] == base["embed"]


@pytest.mark.parametrize("device", ["v5e", "v6e", "v5p", "v4"])
def test_more_chips_take_less_time_and_more_chip_seconds(device):
    totals = {chips: sum(seconds(f"{device}:{chips}").values()) for chips in (1, 2, 4, 8, 16, 32)}
    times = list(totals.values())
    assert times == sorted(times, reverse=True)
    assert all(chips * total > totals[1] for chips, total in totals.items() if chips > 1)


def test_more_guidance_takes_longer():
    assert seconds(request=Request(method="post"))["sample"] == pytest.approx(1.5 * seconds()["sample"], rel=0.02)
    assert seconds(request=Request(method="post", gradient="full"))["sample"] > 2 * seconds()["sample"]


def test_work_that_nobody_counted_is_said_to_be_unknown():
    uncounted = [replace(entry, products=0) for entry in TABLE]
    runs, reached = Model().runs(25), Model().family.reached
    assert stages(uncounted, V5E, Request(), runs, reached) == []
    assert time_lines(uncounted, V5E, Request(), runs, reached)[0].startswith("How long it takes is not known")


@pytest.mark.parametrize("name", FAMILIES)
def test_shares_of_the_roofline_are_shares(name):
    reached = family(name).reached
    assert set(reached) == set(PROGRAMS)
    assert all(0 < share < 1 for share in reached.values())


@pytest.mark.parametrize(
    ("name", "encodings"), [("wan2_1_t2v_1_3b", 1), ("wan2_1_i2v_14b_480p", 2), ("wan2_1_vace_1_3b", 3), ("svd_xt", 1)]
)
def test_videos_are_encoded_as_often_as_the_model_is_shown_them(name, encodings):
    model = published_model(name)
    assert model.runs(7)["encode"] == encodings and model.runs(7)["sample"] == 7
    found = stages(entries_of(read_table(), model), V5E, usual_request(model), model.runs(7), model.family.reached)
    (encode,) = (stage for stage in found if stage.program == "encode")
    assert encode.at_least == encodings * encode.least.total > 0
