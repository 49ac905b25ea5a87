from dataclasses import dataclass
from types import ModuleType

import pytest

from nvs_jax.diffusion import Churn, Euler, Heun, Solver, make_solver, solver_class
from nvs_jax.errors import InputError
from nvs_jax.settings import SolverSettings, registry


@pytest.mark.parametrize("name", registry.solvers())
def test_a_module_has_one_solver_that_settings_make(name):
    solver = make_solver(SolverSettings(name), 10)
    assert isinstance(solver, Solver)
    assert type(solver) is solver_class(name)
    assert hash(solver) == hash(make_solver(SolverSettings(name), 10))


def test_a_module_with_two_solvers_or_none_is_refused(monkeypatch):
    module = ModuleType("mine")
    monkeypatch.setattr("nvs_jax.diffusion.solver.load_solver", lambda name: module)
    module.Heun = Heun  # pyright: ignore[reportAttributeAccessIssue]  # imported: not the module's own
    with pytest.raises(InputError, match=r"must have one class .* and has 0"):
        solver_class("mine")
    module.Own = type("Own", (Euler,), {"__module__": "mine"})  # pyright: ignore[reportAttributeAccessIssue]
    assert solver_class("mine") is module.Own
    module.Other = type("Other", (Euler,), {"__module__": "mine"})  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(InputError, match="has 2"):
        solver_class("mine")


@dataclass(frozen=True)
class Numbered(Euler):
    terms: int = 2
    scaled: bool = False
    text: str = "a"

    def __post_init__(self):
        if self.terms > 3:
            raise ValueError("terms must be at most 3")


def test_numbers_have_the_type_of_their_defaults(monkeypatch):
    monkeypatch.setattr("nvs_jax.diffusion.solver.load_solver", lambda name: Numbered)

    def made(*numbers):
        return make_solver(SolverSettings("mine", numbers=numbers), 5)

    assert made(("terms", 3.0), ("scaled", 1.0)) == Numbered(3, True)
    assert type(vars(made(("terms", 3.0)))["terms"]) is int
    for numbers, words in (
        (("terms", 2.5), "terms must be of type int, not 2.5"),
        (("text", 1.0), "no number 'text', but terms, scaled"),
        (("terms", 4.0), "terms must be at most 3"),
    ):
        with pytest.raises(InputError, match=words):
            made(numbers)


def test_a_run_divides_churns_noise_among_its_steps():
    assert make_solver(SolverSettings("churn", churn=5.0), 50) == Churn(gamma=0.1)
    assert make_solver(SolverSettings("churn", churn=500.0), 50) == Churn(gamma=2**0.5 - 1)
