import jax.numpy as jnp
import numpy as np

from nvs_jax.diffusion import Coefficients, closed_form_trust, log_lambda
from scripts.gradient_table import QUANTITIES, Arguments, Shifted, Slopes, apart, differences, render_tables


def test_differences_are_those_of_each_quantity():
    found = differences(lambda x: jnp.sin(x) @ jnp.arange(1.0, 4.0), 3, 1e-3)
    np.testing.assert_allclose(found, [1, 2, 3], rtol=1e-3)


def test_a_shift_is_of_log_lambda_and_leaves_given_views_alone():
    trust = closed_form_trust(jnp.array([0.0, 1.0, 2.0]), 700.0, Coefficients(1.0, 300.0, 30.0))
    w = Shifted(trust, jnp.float32(0.3))(jnp.float32(5.0))
    assert w[0] == 1
    expected = log_lambda(jnp.float32(5 / 700), jnp.array([0.5, 1.0]), trust.coefficients) + 0.3
    np.testing.assert_allclose(jnp.log(w[1:] / (1 - w[1:])), expected, rtol=1e-4)


def test_the_tables_have_a_row_for_each_quantity_and_say_how_far_slopes_are_apart():
    slopes = Slopes(np.linspace(1, 2, len(QUANTITIES)), np.linspace(1.01, 2, len(QUANTITIES)), 3 * 2**20)
    assert apart(slopes)[0] == "0.99 %"
    text = render_tables(Arguments(), {"4 steps": slopes}, {"soft": slopes})
    assert all(f"| {name}: " in text for name in QUANTITIES)
    assert "3 MiB (4 steps)" in text
    assert text.count("0.99 %") == 1


def test_slopes_that_are_both_nothing_are_not_apart():
    assert apart(Slopes(np.zeros(1), np.zeros(1), 0)) == ["0.00 %"]
