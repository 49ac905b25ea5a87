import json
from dataclasses import replace

import jax.numpy as jnp
import pytest

from nvs_jax.errors import InputError
from nvs_jax.evaluation.fitting import read_fit, write_fit
from nvs_jax.evaluation.problems import true_views
from nvs_jax.evaluation.tuning import TunedTable, error_and_gradient, tuned_table, tuning_scene
from nvs_jax.evaluation.variants import ClosedForm, Constant, Fit, MethodFit, Variant
from nvs_jax.media import read_photo
from scripts.documentation import END, begin
from scripts.tune_guidance import RELEASE, TUNED, Arguments, main, tune, variants_of
from tests.evaluation.benches import SETTINGS, linear
from tests.tiny import FRAMES, tiny_pipeline, write_tiny_folder

START = ClosedForm(0.2, 1000.0, 10.0)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return str(write_tiny_folder(tmp_path_factory.mktemp("svd")))


@pytest.fixture
def docs(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    markers = (f"{begin(f'scripts/tune_guidance.py, {form}')}\n{END}\n" for form in ("closed", "table"))
    (folder / "guidance.md").write_text("# Page\n" + "and\n".join(markers))
    return folder


@pytest.fixture(scope="module")
def scene():
    truth = true_views(3_000_000, 0.0, SETTINGS)
    scene = tuning_scene(tiny_pipeline(), truth, Variant("dgs", steps=3, estimate="blend"), 3_000_000)
    return replace(scene, problem=linear(scene.problem))


@pytest.mark.full
def test_tuning_lowers_the_error(scene):
    start = tuned_table(START, (100.0, 1.0), scene)
    found, errors = tune(start, [scene], 8, 0.5)
    before, after = (float(error_and_gradient(parameters, scene)[0]) for parameters in (start, found))
    assert len(errors) == 8
    assert errors[0] == before
    assert after < 0.99 * before


def test_an_error_that_is_not_finite_stops_it(scene):
    broken = TunedTable(jnp.full((2, FRAMES - 1), jnp.nan), (100.0, 1.0))
    with pytest.raises(InputError, match="lower --learning-rate"):
        tune(broken, [scene], 1, 0.1)


@pytest.mark.full
def test_the_closed_form_becomes_a_fit_and_reaches_the_documentation(weights, docs, tmp_path, capsys, monkeypatch):
    def linear_scene(*given, **named):
        scene = tuning_scene(*given, **named)
        return replace(scene, problem=linear(scene.problem))

    # A gradient through the network takes a minute to compile; the frames that are measured are the network's.
    monkeypatch.setattr("scripts.tune_guidance.tuning_scene", linear_scene)
    out, given = tmp_path / "out", tmp_path / "given.json"
    write_fit(given, Fit(MethodFit(Constant(0.7), ClosedForm(1.0, 2.0, 3.0)), MethodFit(Constant(0.6))))
    arguments = Arguments(
        weights, out, steps=3, scenes=2, iterations=2, held_out=2, held_out_steps=3, fit=given, docs=docs,
        settings=SETTINGS,
    )  # fmt: skip
    main(arguments)
    found = read_fit(out / "fit.json")
    assert found.dgs.closed_form not in (ClosedForm(1.0, 2.0, 3.0), ClosedForm())
    assert replace(found, dgs=replace(found.dgs, closed_form=ClosedForm(1.0, 2.0, 3.0))) == read_fit(given)
    record = json.loads((out / "tuning.json").read_text())
    assert len(record["errors"]) == 2
    assert ClosedForm(**record["arguments"]["rule"]) == found.dgs.closed_form
    assert record["table"] in capsys.readouterr().out
    page = (docs / "guidance.md").read_text()
    assert record["table"].strip() in page
    assert page.index("| tuned, selected |") < page.index("scripts/tune_guidance.py, table")
    assert page.count(f"| {RELEASE}, ") == page.count("| of the given fit, ") == page.count(f"| {TUNED}, ") == 2
    assert read_photo(out / "weights.png").size


@pytest.mark.full
def test_a_table_is_written_down_with_its_levels(weights, docs, tmp_path):
    out = tmp_path / "out"
    arguments = Arguments(
        weights, out, "table", method="post", target="frames", estimate="blend", steps=2, scenes=1, iterations=1,
        levels=(10.0, 1.0), held_out=1, held_out_steps=2, docs=docs, settings=SETTINGS,
    )  # fmt: skip
    main(arguments)
    rule = json.loads((out / "tuning.json").read_text())["arguments"]["rule"]
    assert rule["sigmas"] == [10.0, 1.0]
    assert [len(row) for row in rule["w"]] == [FRAMES - 1] * 2
    assert not (out / "fit.json").exists()
    page = (docs / "guidance.md").read_text()
    assert page.index("| tuned, selected |") > page.index("scripts/tune_guidance.py, table")


def test_before_and_after_have_the_same_estimate():
    rules = {RELEASE: ClosedForm(), TUNED: Constant(0.5)}
    rows = variants_of(rules, Arguments("weights"))
    assert len(rows) == 4
    for variant, reference in rows.values():
        assert reference == replace(variant, trust=ClosedForm())


@pytest.mark.parametrize(
    "wrong",
    [
        {"scenes": 0}, {"scenes": 9}, {"held_out": 33}, {"steps": 0}, {"iterations": 0}, {"learning_rate": 0.0},
        {"start": ClosedForm(0.0, 1.0, 1.0)}, {"levels": ()}, {"levels": (1.0, 2.0)}, {"levels": (1.0, 0.0)},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError, match="--"):
        Arguments("weights", **wrong)
