import json
from dataclasses import replace

import pytest

from nvs_jax.errors import InputError
from nvs_jax.evaluation.fitting import write_fit
from nvs_jax.evaluation.variants import ClosedForm, Constant, Fit, MethodFit, Variant
from nvs_jax.media import read_photo
from scripts.documentation import END, begin
from scripts.solver_quality import NAMES, Arguments, differences, main, rule_of, run_of, runs_of
from tests.evaluation.benches import SETTINGS, tiny_bench
from tests.tiny import write_tiny_folder

FIT = Fit(dgs=MethodFit(Constant(0.7), ClosedForm(1.0, 2.0, 3.0)))


@pytest.mark.parametrize("solver", NAMES)
def test_a_run_makes_as_many_estimates_as_it_may(solver):
    for most in (1, 5, 25):
        run = run_of(solver, most, ClosedForm())
        assert most - 1 <= run.estimates <= most
        assert run.variant == Variant("dgs", ClosedForm(), steps=run.variant.steps, solver=solver)


def test_a_run_that_may_make_fewer_than_the_shortest_makes_those(monkeypatch):
    monkeypatch.setattr("scripts.solver_quality._estimates", lambda solver, steps: 3 * steps)
    assert [(run.estimates, run.variant.steps) for run in (run_of("euler", n, ClosedForm()) for n in (1, 8, 30))] == [
        (3, 1), (6, 2), (30, 10),
    ]  # fmt: skip


def test_the_yardstick_is_eulers_longest_run():
    yardstick, runs = runs_of(Arguments("weights", estimates=(8, 4)), ClosedForm())
    assert yardstick.variant == Variant("dgs", ClosedForm(), steps=8)
    assert len(runs) == len(set(runs)) == 2 * len(NAMES)
    assert yardstick in runs


def test_w_is_of_the_rule_that_was_asked_for(tmp_path):
    arguments = Arguments("weights", out=tmp_path)
    with pytest.raises(InputError, match=r"fit\.json is missing"):
        rule_of(arguments)
    assert rule_of(replace(arguments, rule="release")) == ClosedForm()
    write_fit(tmp_path / "fit.json", FIT)
    assert rule_of(arguments) == ClosedForm(1.0, 2.0, 3.0)
    other = tmp_path / "other.json"
    write_fit(other, Fit(dgs=MethodFit(Constant(0.2))))
    assert rule_of(replace(arguments, rule="constant", fit=other)) == Constant(0.2)


def test_differences_are_paired(tmp_path):
    """Made-up results: Heun's are 0.5 dB better in every scene, and scenes differ by 10 dB."""
    bench, seeds = tiny_bench(tmp_path), [40_000, 40_001]
    heun, euler = (run_of(name, 5, ClosedForm()) for name in ("heun", "euler"))
    for seed, psnr in zip(seeds, (20.0, 30.0), strict=True):
        for run, better in ((heun, 0.5), (euler, 0.0)):
            bench.records.append(bench.experiment.key(seed, run.variant), scores={"psnr": [psnr + better] * 3})
    assert differences(bench, seeds, heun, euler, "psnr") == pytest.approx((0.5, 0), abs=1e-9)


@pytest.mark.full
def test_table_and_curves_reach_the_documentation_and_nothing_is_measured_twice(tmp_path, capsys):
    docs, out = tmp_path / "docs", tmp_path / "out"
    docs.mkdir()
    (docs / "guidance.md").write_text(f"# Page\n{begin('scripts/solver_quality.py')}\n{END}\n")
    arguments = Arguments(
        str(write_tiny_folder(tmp_path / "svd")), out, "release", scenes=2, estimates=(1, 3),
        solvers=("euler", "adams3"), docs=docs, settings=SETTINGS,
    )  # fmt: skip
    main(arguments)
    text = (out / "solvers.md").read_text()
    assert text in capsys.readouterr().out
    page = (docs / "guidance.md").read_text()
    assert text.strip() in page
    assert "(images/solver_quality.png)" in page
    assert read_photo(docs / "images" / "solver_quality.png").size
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row[1:4] for row in rows] == [
        ["Euler", "1", "1"], ["Euler", "3", "3"], ["Exponential Adams", "1", "1"], ["Exponential Adams", "3", "3"],
    ]  # fmt: skip
    assert rows[1][6:8] == ["-", "-"]
    # To sigma = 0 all solvers make Euler's step; from 700 on, Euler's own is rounded at 1e-4.
    euler, adams = (float(rows[index][4].split()[0]) for index in (0, 2))
    assert euler == pytest.approx(adams, abs=0.03)

    lines = (out / "results.jsonl").read_text()
    assert len({json.loads(line)["key"] for line in lines.splitlines()}) == 2 * 4
    main(arguments)
    assert (out / "results.jsonl").read_text() == lines


@pytest.mark.parametrize("wrong", [{"scenes": 0}, {"scenes": 33}, {"estimates": ()}, {"estimates": (0, 5)}])
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="--"):
        Arguments("weights", **wrong)
