"""The command, from weights to a report; and what happens when it is called again."""

import json
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from nvs_jax.cli import main
from nvs_jax.commands.evaluate import measuring, open_bench
from nvs_jax.errors import InputError
from nvs_jax.evaluation.camera_accuracy import CameraErrors
from nvs_jax.evaluation.fitting import CONSTANTS, LEARNING_RATES, closed_forms, fit, read_fit, write_fit
from nvs_jax.evaluation.measure import measure
from nvs_jax.evaluation.records import Records
from nvs_jax.evaluation.report import draw_steps, report, scene_means
from nvs_jax.evaluation.variants import (
    MAIN,
    QUICK,
    TABLES,
    ClosedForm,
    Constant,
    Fit,
    MethodFit,
    Variant,
    variants_of,
)
from nvs_jax.settings import Guided
from nvs_jax.settings.evaluation import BenchmarkSettings
from tests.evaluation.benches import SIZE, tiny_bench
from tests.tiny import tiny_pipeline, write_tiny_folder

METHODS = ("dgs", "post")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(write_tiny_folder(tmp_path_factory.mktemp("svd")))


def test_the_command_end_to_end_and_once_more(weights, tmp_path, capsys, monkeypatch):
    # Rows that share a program, and few steps; `test_every_row_of_every_table_can_be_made` makes the others.
    rows = {
        title: replace(variant, steps=2)
        for title, variant in QUICK["Methods"].items()
        if variant.method != "post" and not variant.hole_strength
    }
    monkeypatch.setattr("nvs_jax.commands.evaluate.QUICK", {"Methods": rows})
    out = tmp_path / "out"
    command = ["evaluate", weights, "--out", str(out), "--quick", "--scenes", "1", "--natural", "1", *SIZE]
    main(command)
    assert {path.name for path in out.iterdir()} == {"results.jsonl", "report.md", "angles.png"}
    text = (out / "report.md").read_text()
    assert text in capsys.readouterr().out
    assert "1 scenes (seeds 40000 to 40000), each with a probability of 100% as in photographs, " in text
    for title in rows:
        assert text.count(f"| {title} |") == 3  # scores, and two tables by angle
    lines = (out / "results.jsonl").read_text().splitlines()
    assert len(lines) == len(rows) == len(variants_of({"Methods": rows}, Fit()))
    for line in map(json.loads, lines):
        assert np.isfinite(line["scores"]["psnr"]).all()
        assert len(line["scores"]["ssim"]) == 3

    # Broken off in the midst of the last line, it measures that one again and nothing else.
    torn = "\n".join(lines)[:-40]
    (out / "results.jsonl").write_text(torn)
    main(command)
    again = (out / "results.jsonl").read_text().splitlines()
    assert again[:-1] == lines[:-1]
    last, before = json.loads(again[-1]), json.loads(lines[-1])
    assert (last["key"], last["scores"]) == (before["key"], before["scores"])


def test_a_second_process_is_turned_away_before_it_loads_anything(tmp_path, capsys):
    with measuring(tmp_path / "out"):
        with pytest.raises(SystemExit) as stop:
            main(["evaluate", "no/such/weights", "--out", str(tmp_path / "out")])
        assert stop.value.code == 2
        assert f"another process is working on {tmp_path / 'out'}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_not_measured_again_and_other_weights_are_not_mixed_in(tmp_path):
    variants = [Variant("ceiling"), Variant("baseline")]
    bench = tiny_bench(tmp_path)
    measure(bench, [40_000], variants)
    size = bench.records.path.stat().st_size
    measure(tiny_bench(tmp_path), [40_000], variants)
    assert bench.records.path.stat().st_size == size
    other = tiny_bench(tmp_path, seed=1)
    measure(other, [40_000], variants)
    assert len(Records(bench.records.path).lines) == 4
    own, others = (scene_means(one.lines([40_000], variants[0]), "psnr") for one in (bench, other))
    assert own != others


def test_what_was_measured_before_an_interruption_is_kept(tmp_path, monkeypatch, capsys):
    bench, variants = tiny_bench(tmp_path), [Variant("ceiling"), Variant("baseline")]

    def interrupted(pipeline, truth, variant, *others):
        if variant.method == "baseline":
            raise KeyboardInterrupt
        return {"seconds": 1.0}

    monkeypatch.setattr("nvs_jax.evaluation.measure.measure_one", interrupted)
    with pytest.raises(SystemExit) as stop:
        measure(bench, [40_000], variants)
    assert stop.value.code == 130
    assert "results.jsonl" in capsys.readouterr().err
    assert len(Records(bench.records.path).lines) == 1


@pytest.mark.full
def test_cameras_are_added_to_what_is_there(tmp_path, monkeypatch):
    bench, variant = tiny_bench(tmp_path), Variant("ceiling")
    measure(bench, [40_000], [variant])
    assert "cameras" not in bench.lines([40_000], variant)[0]
    found = CameraErrors(1.0, 2.0, 3.0)
    monkeypatch.setattr("nvs_jax.evaluation.measure.camera_errors", lambda *given: found)
    measure(bench, [40_000], [variant], cameras=True)
    assert bench.lines([40_000], variant)[0]["cameras"] == {"ate": 1.0, "rpe_t": 2.0, "rpe_r": 3.0}


@pytest.mark.full
def test_the_search_takes_what_is_best_on_its_scenes(tmp_path):
    """Results are made up: PSNR falls with the distance to one rule, another for each method."""
    bench, seeds = tiny_bench(tmp_path), [3_000_000, 3_000_001]
    wanted: dict[Guided, tuple[Constant, ClosedForm]] = {
        "dgs": (Constant(0.8), closed_forms()[4]),
        "post": (Constant(0.3), closed_forms()[10]),
    }
    for method, best in wanted.items():
        for rule, rate in product((*CONSTANTS, *closed_forms()), LEARNING_RATES if method == "post" else (None,)):
            variant = replace(Variant(method), trust=rule, learning_rate=rate)
            for seed in seeds:
                psnr = [20.0 + (rule in best) + 2 * (rate == 0.5)] * 3
                bench.records.append(bench.experiment.key(seed, variant), scores={"psnr": psnr})
    found = fit(bench, seeds)
    assert found == Fit(MethodFit(*wanted["dgs"]), MethodFit(*wanted["post"], 0.5))
    write_fit(tmp_path / "fit.json", found)
    assert read_fit(tmp_path / "fit.json") == found


def test_the_grid_holds_the_releases_coefficients():
    release = ClosedForm()
    assert any(
        np.allclose([rule.v2 / rule.v1, rule.v3 / rule.v1], [release.v2 / release.v1, release.v3 / release.v1])
        for rule in closed_forms()
    )
    assert Constant(1.0) in CONSTANTS


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"dgs": 1, "post": 2}', "[" * 60_000, '{"dgs": {"constant": {"w": "a"}}}', " " * 2**17]
    + [
        json.dumps({name: {"constant": {"w": w}, "closed_form": {"v1": v1, "v2": 1, "v3": 1}} for name in METHODS})
        for w, v1 in ((2, 1), (0.5, 0), (float("nan"), 1), (True, 1), (0.5, -1))
    ],
)
def test_a_file_that_is_no_fit_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "fit.json").write_text(content)
    with pytest.raises(InputError, match="holds no fit"):
        read_fit(tmp_path / "fit.json")


def test_a_size_the_model_does_not_take_is_named(tmp_path):
    with pytest.raises(InputError, match="multiples of 4"):
        open_bench(tiny_pipeline(), BenchmarkSettings(size=(24, 34)), tmp_path)


@pytest.mark.parametrize(
    "options", [["--scenes", "0"], ["--scenes", "33"], ["--fitting-scenes", "9"], ["--detail-scenes", "33"]]
)
def test_numbers_of_scenes_that_there_are_not_are_refused(options, capsys):
    with pytest.raises(SystemExit):
        main(["evaluate", "nowhere", *options])
    assert "must lie between" in capsys.readouterr().err


@pytest.mark.full
def test_every_row_of_every_table_can_be_made(tmp_path, monkeypatch):
    fast = {
        title: {row: replace(variant, steps=variant.steps // 25) for row, variant in table.items()}
        for title, table in TABLES.items()
    }
    bench, seeds, found = tiny_bench(tmp_path), [40_000], Fit()
    measure(bench, seeds, variants_of(fast, found))
    text = report(bench, dict.fromkeys(fast, seeds), fast, found, with_fit=True)
    for table in fast.values():
        for row in table:
            assert f"| {row} |" in text
    assert "### Cameras" not in text
    monkeypatch.setattr("nvs_jax.evaluation.measure.camera_errors", lambda *given: CameraErrors(1.0, 2.0, 3.0))
    measure(bench, seeds, variants_of({MAIN: fast[MAIN]}, found), cameras=True)
    text = report(bench, dict.fromkeys(fast, seeds), fast, found, with_fit=True, camera_seeds=seeds)
    cameras = text.partition("### Cameras")[2]
    assert all(f"| {row} | 1.0" in cameras for row in fast[MAIN])
    draw_steps(tmp_path / "steps.png", bench, seeds, fast["Steps"], found)
    assert (tmp_path / "steps.png").stat().st_size > 10_000
