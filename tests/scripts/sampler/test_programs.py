import jax.numpy as jnp
import pytest

from scripts.sampler.options import Setting
from scripts.sampler.problems import make_problem
from scripts.sampler.programs import cost_of, timed_in_turn


@pytest.mark.full
@pytest.mark.parametrize(
    ("guidance", "solver", "evaluations"),
    [("none", "euler", 6), ("dgs", "heun", 10), ("post", "res2s", 13), ("post-full", "unipc", 9)],
)
def test_evaluations_are_counted_with_both_branches_and_operations_follow_them(guidance, solver, evaluations):
    """Three steps; the last one takes one estimate, and each has two branches."""
    cost = cost_of(make_problem(None, Setting(guidance, 2, 4, 4, None, None), solver, 3))
    assert cost.evaluations == evaluations
    one = cost_of(make_problem(None, Setting("none", 2, 4, 4, None, None), "euler", 1)).tflop / 2
    if guidance == "post-full":  # a backward pass takes about two forward passes more
        assert cost.tflop / one == pytest.approx(6 + 3 * 3, rel=0.2)
    else:
        # Embeddings of time are made once for both branches.
        assert cost.tflop / one == pytest.approx(evaluations, rel=5e-3)


def test_functions_are_timed_in_turn_after_a_warm_up():
    calls = []

    def call(number):
        calls.append(number)
        return jnp.float32(number)

    results, seconds = timed_in_turn([lambda: call(0), None, lambda: call(1)], 2)
    assert calls == [0, 1] * 3
    assert results == [0, None, 1]
    assert [len(taken) for taken in seconds] == [2, 0, 2]
