"""Videos of samples, and their table."""

from pathlib import Path

import numpy as np
from PIL import Image

from nvs_jax.evaluation.field.samples import VARIANTS, knots, tasks_of
from nvs_jax.evaluation.field.samples_report import samples_report, scene_means
from nvs_jax.inputs.posed_depth import NamedDepth
from nvs_jax.media.cameras import CameraSet, PosedCamera
from nvs_jax.media.splits import Sample
from nvs_jax.settings import DepthKind, PictureSettings, RenderSettings


def test_a_path_passes_every_target_and_fills_the_video() -> None:
    for frames in (8, 14, 25):
        for targets in range(1, frames):
            steps = knots(targets, frames)
            assert len(steps) == targets and min(steps) >= 1 and sum(steps) == frames - 1


def test_disparity_that_a_scene_names_is_brought_to_the_distance(tmp_path: Path) -> None:
    """A wall at 2, as depth or as disparity in whatever unit, seen from two more places: the same holes."""
    height, width, focal = 24, 32, 16.0
    picture = tmp_path / "0.png"
    Image.new("RGB", (width, height)).save(picture)
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    beside = np.tile(np.eye(4), (2, 1, 1))
    beside[:, 0, 3] = 0.5, 1.0
    targets = CameraSet(tuple(PosedCamera(pose, K, height, width, picture) for pose in beside))
    settings = RenderSettings(picture=PictureSettings(size=(height, width)))
    holes = {}
    kinds: dict[DepthKind, float] = {"depth": 2.0, "disparity": 300.0}
    for kind, value in kinds.items():
        depth = tmp_path / f"{kind}.npy"
        np.save(depth, np.full((height, width), value, np.float32))
        sample = Sample("a", CameraSet((PosedCamera(np.eye(4), K, height, width, picture, depth),)), targets)
        (task,) = tasks_of(sample, NamedDepth(kind), settings, (8, 3), distance=2.0)
        holes[kind] = task.holes
    columns = [round(focal * shift / 2.0) for shift in (0.5, 1.0)]
    assert [round(float(mask.mean()) * width) for mask in holes["depth"]] == columns
    np.testing.assert_array_equal(holes["depth"], holes["disparity"])


def line(scene: str, psnr: list[float | None], variant: str) -> dict:
    names = ("psnr", "known_psnr", "hole_psnr", "ssim", "known_ssim", "hole_ssim", "hole_share")
    return {"scene": scene, "variant": variant, "seconds": 1.0, "scores": dict.fromkeys(names, psnr)}


def test_intervals_are_over_scenes_however_many_pictures_each_has() -> None:
    lines = [line("b", [3.0], "x"), line("a", [1.0, 1.0], "x"), line("a", [1.0, None, 5.0], "x")]
    assert scene_means(lines, "psnr") == [2.0, 3.0]
    lines_of = {
        variant: [line("a", [10.0 + rank, None], variant), line("b", [20.0 + rank], variant)]
        for rank, variant in enumerate(VARIANTS)
    }
    text = samples_report(lines_of, "Protocol.", [Path("pictures/a.png")])
    assert "2 scenes, 3 pictures. Protocol." in text and "![a](pictures/a.png)" in text
    row = next(one for one in text.splitlines() if one.startswith("| guided |"))
    assert row.startswith("| guided | 15.00 ± 63.53 |") and "-1.00 ± 0.00" in row


def test_a_report_without_a_truth_has_no_scores_that_need_one() -> None:
    def shown(scene: str, variant: str) -> dict:
        return {"scene": scene, "variant": variant, "seconds": 2.0, "scores": {"hole_share": [0.25, 0.75]}}

    lines_of = {variant: [shown("a", variant), shown("b", variant)] for variant in VARIANTS[:-1]}
    text = samples_report(lines_of, "Protocol.", [])
    assert "2 scenes, 4 pictures. Protocol." in text and "50.0 % of the pixels" in text
    assert "nobody knows the true pictures" in text and "PSNR" not in text
    assert "| guided | 2.0 |" in text and "truth through the VAE" not in text
