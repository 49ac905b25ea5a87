import pytest

from nvs_jax.errors import InputError
from nvs_jax.settings import GuidanceSettings, RenderSettings, ScheduleSettings, SVDSettings
from nvs_jax.settings.suited import suited
from tests.models.toy_video import Settings, ToySettings

OWN = RenderSettings(schedule=ScheduleSettings(sigma_max=80.0), svd=SVDSettings(noise_aug=0.1))


def test_what_was_asked_for_stays_and_all_else_is_as_it_suits():
    asked = RenderSettings(guidance=GuidanceSettings("post"), schedule=ScheduleSettings(steps=9, sigma_max=30.0))
    settings, names = suited(asked, OWN)
    assert names == ("svd.noise_aug",)
    assert settings == RenderSettings(guidance=asked.guidance, schedule=asked.schedule, svd=OWN.svd)
    assert suited(asked, RenderSettings()) == (asked, ())


def test_settings_of_families_that_only_one_of_them_has_stay():
    toy = Settings(toy=ToySettings(exposure=0.5))
    assert suited(toy, OWN)[0] == Settings(toy=toy.toy, schedule=OWN.schedule, svd=OWN.svd)
    assert suited(RenderSettings(), toy) == (RenderSettings(), ())


def test_what_does_not_go_with_it_is_refused():
    with pytest.raises(InputError, match="schedule"):
        suited(RenderSettings(schedule=ScheduleSettings(sigma_min=100.0)), OWN)
