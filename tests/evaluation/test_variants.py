from dataclasses import replace

import pytest

from nvs_jax.errors import InputError
from nvs_jax.evaluation.variants import (
    MAIN,
    QUICK,
    TABLES,
    ClosedForm,
    Constant,
    Fit,
    MethodFit,
    Variant,
    resolve,
    variants_of,
)
from nvs_jax.settings.evaluation import EVALUATION_SEEDS, FITTING_SEEDS, BenchmarkSettings
from scripts.train.settings import ClipSettings

FIT = Fit(MethodFit(Constant(0.7), ClosedForm(1.0, 2.0, 3.0)), MethodFit(Constant(0.6), ClosedForm(4.0, 5.0, 6.0)))
FAST = replace(FIT, post=replace(FIT.post, learning_rate=0.5))


def test_scenes_of_training_fitting_and_evaluation_have_nothing_in_common():
    clips = ClipSettings()
    trained_on = range(clips.first_seed, clips.first_seed + clips.count + clips.held_out)
    for one, other in ((EVALUATION_SEEDS, trained_on), (FITTING_SEEDS, trained_on), (EVALUATION_SEEDS, FITTING_SEEDS)):
        assert not set(one) & set(other)
    assert len(EVALUATION_SEEDS) >= 32


@pytest.mark.parametrize("title", TABLES)
def test_no_table_shows_the_same_twice(title):
    described = [str(resolve(variant, FAST).described()) for variant in TABLES[title].values()]
    assert len(set(described)) == len(described)


def test_everything_is_measured_once_and_with_its_baseline():
    needed = variants_of(TABLES, FAST)
    described = [str(variant.described()) for variant in needed]
    assert len(set(described)) == len(described)
    rows = {title: variant for table in TABLES.values() for title, variant in table.items()}
    for variant in rows.values():
        assert str(resolve(variant, FAST).described()) in described
        assert str(variant.baseline.described()) in described
    # 16 methods; 2 more numbers of steps of 3 methods; 5 conditions of 4, with ceiling and model of shiny scenes;
    # 6 changes of 2 methods, all of the release's of both, tiles and the release's learning rate;
    # means of 3 methods.
    assert len(needed) == 16 + 6 + 5 * 4 + 2 + 6 * 2 + 2 + 2 + 3


def test_settings_that_change_nothing_do_not_tell_variants_apart():
    assert Variant("none", Constant(0.3), depth="blurred").described() == Variant("none").described()
    assert Variant("ceiling", steps=50).described() == Variant("ceiling").described()
    assert Variant("none", steps=50).described() != Variant("none").described()
    assert Variant("baseline", fill="smooth").described() != Variant("baseline").described()
    assert Variant("none", fill="smooth", hole_strength=1.0).described() == Variant("none").described()
    assert Variant("ceiling", solver="heun").described() == Variant("ceiling").described()
    plain = Variant("dgs")
    changes = {
        "trust": Constant(0.5), "steps": 50, "depth": "scaled", "shading": 1.0, "estimate": "blend",
        "mixed_context": True, "target_scale": 1.02, "method": "post", "guidance_scale": (1.0, 3.0),
        "solver": "heun", "holes": "black", "videos": 4, "hole_strength": 0.5,
    }  # fmt: skip
    for name, value in changes.items():
        assert replace(plain, **{name: value}).described() != plain.described()


def test_fitted_rules_are_those_of_the_method():
    assert resolve(Variant("dgs", "best constant"), FIT).trust == Constant(0.7)
    assert resolve(Variant("post", "fitted"), FIT).trust == ClosedForm(4.0, 5.0, 6.0)
    assert resolve(Variant("post", Constant(0.1)), FIT).trust == Constant(0.1)


def test_the_quick_tables_need_no_fit():
    assert set(QUICK) == {MAIN}
    assert variants_of(QUICK, Fit()) == variants_of(QUICK, FIT)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": (0, 128)},
        {"frames": 1},
        {"step_degrees": 20.0},
        {"step_degrees": -1.0},
        {"samples": 0},
        {"natural": 1.5},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InputError):
        BenchmarkSettings(**wrong)
