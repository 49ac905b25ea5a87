from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from nvs_jax.errors import InputError
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.former import FORMER, refuse_former_names, refuse_former_options


def value_of(name: str) -> Any:
    """The setting, or group of settings, of a dotted name."""
    value = RenderSettings()
    for part in name.split("."):
        assert is_dataclass(value) and part in {field.name for field in fields(value)}, name
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("former", FORMER)
def test_former_names_lead_to_settings_that_are_there_and_are_none_themselves(former):
    value_of(FORMER[former])
    with pytest.raises(AssertionError):
        value_of(former)


@pytest.mark.parametrize("option", ["--a.b", "--a.b=3", "--c.some-thing", "--c.some_thing", "--d.e.f"])
def test_options_are_refused_by_group_and_by_name(option, monkeypatch):
    for former, now in {"a": "x", "c.some_thing": "c.any_thing", "d.e": "d.y"}.items():
        monkeypatch.setitem(FORMER, former, now)
    present = {"a.b": "x.b", "c.some": "c.any-thing", "d.e.f": "d.y.f"}
    wanted = next(now for former, now in present.items() if option[2:].startswith(former))
    with pytest.raises(InputError, match=f"^{option.partition('=')[0]} is now called --{wanted}$"):
        refuse_former_options(["single", option])
    refuse_former_options(["--a", "a.b", "--aa.b", "--c.some", "--d.ee.f"])  # names of other things


@pytest.mark.parametrize("name", ["motion-bucket", "noise-aug", "mixed-context", "no-mixed-context", "target-scale"])
def test_what_one_family_alone_is_told_has_its_name(name):
    with pytest.raises(InputError, match=f"^--conditioning.{name} is now called --svd.{name}$"):
        refuse_former_options(["single", f"--conditioning.{name}=1"])


def test_what_is_called_as_today_passes():
    refuse_former_names({"trust": {"v2": 3.0}, "path": {"weights": 1}})
    refuse_former_names("weights")
    with pytest.raises(InputError, match="weights is now called trust"):
        refuse_former_names({"schedule": {"steps": 3}, "weights": {}})
