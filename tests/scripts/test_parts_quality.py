import pytest

from nvs_jax.diffusion.assemble import check_parts
from nvs_jax.errors import InputError
from nvs_jax.evaluation.measure import Bench
from nvs_jax.evaluation.problems import render_settings
from nvs_jax.evaluation.records import Experiment, Records
from nvs_jax.pipeline import Pipeline
from nvs_jax.settings.evaluation import BenchmarkSettings
from scripts.parts_quality import DGS, LCM4, ROWS, Arguments, evaluations, table, with_parts
from tests.models.toy_video import ToyVideo

PIPELINE = Pipeline(ToyVideo())


def test_every_row_can_be_made_and_is_another():
    for variant in ROWS.values():
        if variant.method != "baseline":
            check_parts(render_settings(variant, PIPELINE))
    described = [str(variant.described()) for variant in ROWS.values()]
    assert len(set(described)) == len(described)


def test_evaluations_are_those_of_all_videos_with_what_is_made_again():
    assert [evaluations(ROWS[title], PIPELINE) for title in ("smoothly filled warp", "none", "`lcm`, 1 step")] == [
        0, 25, 1,
    ]  # fmt: skip
    assert evaluations(with_parts(DGS, restart__times=1), PIPELINE) > 25
    assert evaluations(with_parts(LCM4, particles__count=6), PIPELINE) == 24


def test_differences_are_paired(tmp_path):
    """Made-up results: a part is 0.5 dB better in every scene, and scenes differ by 10 dB."""
    bench = Bench(PIPELINE, Experiment("weights", BenchmarkSettings()), Records(tmp_path / "results.jsonl"))
    seeds, rows = (40_000, 40_001), {"none": DGS, "part": LCM4}
    for seed, psnr in zip(seeds, (20.0, 30.0), strict=True):
        for variant, better in ((DGS, 0.0), (LCM4, 0.5), (ROWS["smoothly filled warp"], -1.0)):
            names = ("psnr", "hole_psnr", "ssim", "hole_ssim")
            cameras = {"cameras": dict.fromkeys(("ate", "rpe_t", "rpe_r"), 0.25)} if variant is LCM4 else {}
            scores = {n: [psnr + better] * 3 for n in names}
            bench.records.append(bench.experiment.key(seed, variant), scores=scores, **cameras)
    *_, plain, part = table(bench, seeds, rows)
    assert plain.startswith("| none | 25 | 25.00 ±") and plain.endswith("| - | - | +1.00 ± 0.00 | - | - | - |")
    assert part.startswith("| part | 4 | 25.50 ±") and part.count("| +0.500 ± 0.000 ") == 2
    assert "| +1.50 ± 0.00 |" in part
    assert part.endswith("| 0.2500 ± 0.0000 | 0.2500 ± 0.0000 | 0.2500 ± 0.0000 |")
    *_, plain = table(bench, seeds, {"none": DGS})
    assert plain.endswith("| - | - | +1.00 ± 0.00 |") and len(plain.split("|")) == 11, (
        "no columns of cameras that nobody measured"
    )


def test_rows_that_are_not_there_are_named():
    with pytest.raises(InputError, match="there is no 'nothing'"):
        Arguments("demo", rows=("nothing",))
