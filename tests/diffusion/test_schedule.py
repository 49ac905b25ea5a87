import numpy as np
import pytest

from nvs_jax.diffusion import exponential_sigmas, karras_sigmas, listed_sigmas
from nvs_jax.diffusion.levels import make_sigmas
from nvs_jax.errors import InputError
from nvs_jax.settings import ScheduleSettings


@pytest.mark.parametrize("steps", [1, 2, 25, 100])
def test_falls_from_the_largest_to_the_smallest_then_zero(steps):
    sigmas = np.asarray(karras_sigmas(steps))
    assert sigmas.shape == (steps + 1,)
    assert sigmas[0] == pytest.approx(700)
    assert sigmas[-1] == 0
    assert (np.diff(sigmas) < 0).all()
    if steps > 1:
        assert sigmas[-2] == pytest.approx(0.002)


def test_rho_one_is_linear():
    np.testing.assert_allclose(karras_sigmas(5, 8.0, 4.0, 1.0), [8, 7, 6, 5, 4, 0], rtol=1e-6)


@pytest.mark.parametrize("arguments", [(0,), (-3,), (5, 1.0, 2.0), (5, 1.0, 0.0)])
def test_refuses_what_is_not_a_schedule(arguments):
    with pytest.raises(InputError):
        karras_sigmas(*arguments)


def test_exponential_levels_fall_by_the_same_factor():
    sigmas = np.asarray(exponential_sigmas(7, 80.0, 0.1))
    assert sigmas[-1] == 0
    np.testing.assert_allclose(sigmas[1:-1] / sigmas[:-2], (0.1 / 80) ** (1 / 6), rtol=1e-5)


def test_a_list_gets_its_final_zero_once():
    np.testing.assert_array_equal(listed_sigmas((7.0, 2.0)), listed_sigmas((7.0, 2.0, 0.0)))


@pytest.mark.parametrize("levels", [(), (0.0,), (1.0, 2.0), (2.0, 2.0), (2.0, -1.0), (2.0, float("nan"))])
def test_refuses_what_is_no_list(levels):
    with pytest.raises(InputError):
        listed_sigmas(levels)
    with pytest.raises(InputError):
        ScheduleSettings(kind="list", levels=levels)


def test_settings_name_the_schedule():
    listed = ScheduleSettings(kind="list", levels=(9.0, 3.0, 1.0))
    assert listed.steps == 3
    np.testing.assert_array_equal(make_sigmas(listed), [9, 3, 1, 0])
    np.testing.assert_array_equal(
        make_sigmas(ScheduleSettings(4, 80.0, 0.1, kind="exponential")), exponential_sigmas(4, 80.0, 0.1)
    )
    np.testing.assert_array_equal(make_sigmas(ScheduleSettings(4)), karras_sigmas(4))
