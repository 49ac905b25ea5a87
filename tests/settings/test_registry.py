"""Names are found without importing what they stand for: modules of a folder, and a tiny package's entry points."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nvs_jax.errors import InputError
from nvs_jax.settings import GuidanceSettings, SolverSettings, registry

SOLVERS = Path(registry.__file__).parents[1] / "diffusion" / "solvers"
PACKAGE = """
from dataclasses import dataclass
from nvs_jax.diffusion import Euler, Unguided
from nvs_jax.pytree import pytree, static

@dataclass(frozen=True)
class Half(Euler):
    factor: float = 0.5

    def step(self, x, memory, sigma, sigma_next, estimate, key):
        return self.factor * estimate(x, sigma), memory

@pytree
class Doubled(Unguided):
    factor: float = static(default=2.0)

    @classmethod
    def of(cls, settings, views):
        return cls(dict(settings.numbers).get("factor", 2.0))

    def estimate(self, x0, sigma, w, key):
        return self.factor * x0

def nothing(settings, views):
    return None
"""
ENTRY_POINTS = """
[nvs_jax.solvers]
half = own_sampling:Half
heun = own_sampling:Half
broken = no_such_module:Half
[nvs_jax.guidances]
doubled = own_sampling:Doubled.of
nothing = own_sampling:nothing
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package with a solver and a guidance, installed as pip would."""
    info = tmp_path / "own_sampling-1.0.dist-info"
    info.mkdir()
    (tmp_path / "own_sampling.py").write_text(PACKAGE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-sampling\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def in_a_new_process(package, code):
    """What the code prints, as JSON: the choices of settings are those of when they were first imported."""
    path = [str(package), *filter(None, sys.path)]
    lines = f"import json, sys\nsys.path[:0] = {path!r}\n{code}"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_solvers_are_the_modules_of_the_folder_with_a_title_and_a_sentence():
    found = registry.solvers()
    assert list(found) == sorted(path.stem for path in SOLVERS.glob("*.py") if path.stem != "__init__")
    assert all(one.title and one.about and "\n" not in one.title + one.about for one in found.values())
    assert (found["euler"].title, found["dpmpp2m"].title) == ("Euler", "DPM-Solver++(2M)")


def test_settings_and_command_offer_them_all_without_jax(package):
    code = (
        "from typing import get_args\nfrom nvs_jax.settings import Method, SolverKind\nimport nvs_jax.cli\n"
        "print(json.dumps([get_args(SolverKind), get_args(Method), 'jax' in sys.modules]))"
    )
    solvers, methods, imported = in_a_new_process(package, code)
    assert set(solvers) == {*registry.solvers()} >= {"half", "broken", "heun"}
    assert methods == ["dgs", "post", "none", "doubled", "nothing"]
    assert not imported


def test_a_solver_and_a_guidance_of_another_package_sample(package):
    code = """
import jax.numpy as jnp
from jax.tree_util import Partial
from nvs_jax.diffusion import make_solver, sample, closed_form_trust, listed_sigmas
from nvs_jax.diffusion.assemble import make_guidance
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.errors import InputError
from nvs_jax.settings import GuidanceSettings, SolverSettings
from nvs_jax.settings.presets import load_settings
x = jnp.ones((1, 1, 1, 1, 1))
views = WarpedViews(x, x[..., 0] > 2)
settings = load_settings("fast", changes={"solver": {"kind": "half", "numbers": [["factor", 0.25]]},
                                          "guidance": {"method": "doubled", "numbers": [["factor", 3]]}})
guidance = make_guidance(settings.guidance, views, 1)
errors = []
for make in (lambda: make_solver(SolverSettings("broken"), 1),
             lambda: make_guidance(GuidanceSettings("nothing"), views, 1)):
    try:
        make()
    except InputError as error:
        errors.append(str(error))
x = sample(Partial(lambda x, sigma: x), guidance, closed_form_trust(jnp.zeros(1), 1.0), x, listed_sigmas((1.0,)),
           make_solver(settings.solver, 1))
own = make_solver(SolverSettings("heun"), 1)
print(json.dumps([float(x.sum()), float(guidance.estimate(x, 1.0, 1.0, None).sum()), type(own).__module__, errors]))
"""
    x, estimated, heun, errors = in_a_new_process(package, code)
    assert x == pytest.approx(0.25 * 3 * 2**0.5)
    assert estimated == pytest.approx(3 * x)
    assert heun == "nvs_jax.diffusion.solvers.heun"
    assert errors == [
        "the solver 'broken' of own-sampling cannot be imported: No module named 'no_such_module'",
        "the guidance 'nothing' has no `correct` and `estimate`: see CONTRIBUTING.md",
    ]


def test_a_name_of_two_owners_is_ours_or_nobodys(package, capsys):
    registry.load_solver("heun")
    assert capsys.readouterr().err == "the solver heun is this package's own; that of own-sampling is ignored\n"
    other = package / "second-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: second\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[nvs_jax.guidances]\ndoubled = second:doubled\n")
    with pytest.raises(InputError, match=r"own-sampling and second each bring a guidance 'doubled': keep one"):
        registry.load_guidance("doubled")


def test_names_that_nobody_has_are_refused():
    with pytest.raises(InputError, match="there is no solver 'mine': choose adams3, churn"):
        registry.load_solver("mine")
    with pytest.raises(InputError, match="there is no guidance 'mine'"):
        registry.load_guidance("mine")


def test_numbers_are_named_once_and_not_of_our_guidances():
    with pytest.raises(InputError, match=r"solver\.numbers has a name twice: gamma gamma"):
        SolverSettings("churn", numbers=(("gamma", 0.1), ("gamma", 0.2)))
    with pytest.raises(InputError, match=r"guidance\.numbers are of guidances of other packages"):
        GuidanceSettings("dgs", numbers=(("factor", 1.0),))
    with pytest.raises(InputError, match=r"solver\.numbers must lie"):
        SolverSettings("churn", numbers=(("gamma", float("nan")),))
