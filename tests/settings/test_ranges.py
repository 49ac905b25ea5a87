"""Ranges of settings: at their fields, checked wherever settings are made, and named in full."""

import math
import re
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Annotated, Any

import pytest

from nvs_jax.errors import InputError
from nvs_jax.settings import CameraSettings, DisparitySettings, MemorySettings, RenderSettings, ScheduleSettings
from nvs_jax.settings.evaluation import BenchmarkSettings
from nvs_jax.settings.jobs import CheckJob, EvaluateJob, MeshOptions
from nvs_jax.settings.presets import load_settings
from nvs_jax.settings.ranges import Between, Ranged


@dataclass(frozen=True)
class Toy(Ranged, group="toy."):
    share: Annotated[float, Between(0, 1)] = 0.5
    sides: Annotated[tuple[int, ...] | None, Between(8, 64)] = None
    turn: float = 0.0
    on: Annotated[bool, Between(5, 6)] = True
    slope: Annotated[float, Between(0, 90, "both")] = 1.0
    ratio: Annotated[float, Between(1, 10, "low")] = 2.0


REFUSED = [
    ({"share": 1.5}, "toy.share must lie between 0 and 1, not 1.5"),
    ({"share": math.nan}, "toy.share must lie between 0 and 1, not nan"),
    ({"sides": (8, 65)}, "toy.sides must lie between 8 and 64, not 65"),
    ({"turn": math.inf}, "toy.turn must lie between -1e+09 and 1e+09, not inf"),
    ({"turn": 10**400}, "toy.turn must lie between -1e+09 and 1e+09, not 100000000000000000000000000000"),
    ({"slope": 90}, "toy.slope must be more than 0 and less than 90, not 90"),
    ({"slope": 0.0}, "toy.slope must be more than 0 and less than 90, not 0.0"),
    ({"ratio": 1.0}, "toy.ratio must be more than 1 and at most 10, not 1.0"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED, ids=str)
def test_numbers_outside_their_range_are_refused_by_name(given, message):
    with pytest.raises(InputError) as refused:
        Toy(**given)
    assert str(refused.value) == message


def test_both_ends_are_in_a_range_unless_they_are_left_out():
    Toy(share=0, sides=(8, 64), turn=-1e9, slope=89.9, ratio=10)
    Toy(share=1, sides=None, turn=1e9)


def groups(settings: Any, name: str = "") -> dict[str, Any]:
    """Every group of settings by its dotted name and a dot."""
    found = {name: settings}
    for field in fields(settings):
        if is_dataclass(value := getattr(settings, field.name)):
            found |= groups(value, f"{name}{field.name}.")
    return found


GROUPS = groups(RenderSettings())


def numbers(group: Any) -> list[str]:
    return [field.name for field in fields(group) if type(getattr(group, field.name)) in (int, float)]


def test_every_group_is_ranged():
    assert all(issubclass(type(group), Ranged) for group in GROUPS.values())


@pytest.mark.parametrize("name", [name for name, group in GROUPS.items() if numbers(group)])
def test_a_group_checks_itself_and_says_its_whole_name(name):
    group = GROUPS[name]
    number = numbers(group)[0]
    with pytest.raises(InputError, match=rf"^{re.escape(name + number)} must .*, not nan$"):
        replace(group, **{number: math.nan})


def test_options_are_named_as_they_are_written():
    for made, message in (
        (lambda: EvaluateJob("demo", detail_scenes=99), "--detail-scenes must lie between 0 and 32, not 99"),
        (lambda: EvaluateJob("demo", fitting_scenes=0), "--fitting-scenes must lie between 1 and 8, not 0"),
        (lambda: BenchmarkSettings(size=(96, 5000)), "--size must lie between 8 and 4096, not 5000"),
        (lambda: CheckJob("demo", seed=-1), "--seed must lie between 0 and 2147483647, not -1"),
        (lambda: MeshOptions(rows=0), "--mesh.rows must lie between 1 and 1000, not 0"),
    ):
        with pytest.raises(InputError) as refused:
            made()
        assert str(refused.value) == message


def test_the_steps_of_a_list_have_the_range_of_steps():
    with pytest.raises(InputError, match=r"schedule\.steps must lie between 1 and 10000, not 10001"):
        ScheduleSettings(kind="list", levels=tuple(float(level) for level in range(10_001, 0, -1)))


def test_conditions_between_fields_are_checked_too():
    for made, message in (
        (lambda: MemorySettings(tile=(64, 64), tile_overlap=64), "tile_overlap must be smaller"),
        (lambda: DisparitySettings(percentiles=(99.0, 1.0)), "percentiles must rise"),
        (lambda: ScheduleSettings(sigma_min=2.0, sigma_max=1.0), "sigma_min must not exceed sigma_max"),
        (lambda: CameraSettings(fov=180.0), r"camera\.fov must lie between 0.1 and 179"),
    ):
        with pytest.raises(InputError, match=message):
            made()


def test_a_value_of_another_type_is_named_with_the_type_of_its_field_alone():
    with pytest.raises(InputError, match=r"expected float \| None @ \$\.guidance\.clamp$"):
        load_settings("fast", changes={"guidance": {"clamp": "a"}})
    with pytest.raises(InputError, match=r"expected int @ \$\.schedule\.steps$"):
        load_settings("fast", changes={"schedule": {"steps": 5.0}})
