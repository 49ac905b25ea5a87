"""FID and KID through torch-fidelity: its own functions on fixed features, few pictures, files that are no weights."""

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import sqrtm

from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.distances import EXTRACTOR, Distances, distance_lines, distances, package_name
from tests.published_scores import published

TINY = "mean-and-deviation"


@pytest.fixture
def package() -> Iterator[Any]:
    """With an extractor of six features: means and deviations of colours."""
    package = published("torch_fidelity")
    base: Any = package.FeatureExtractorBase

    class Tiny(base):
        def __init__(self, name: str, features_list: list[str], **kwargs: Any):
            super().__init__(name, features_list)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            x = x.float() / 255
            return (torch.cat([x.mean((2, 3)), x.std((2, 3))], 1),)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return ("2048",)

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "2048"

    extractors = import_module("torch_fidelity.registry").FEATURE_EXTRACTORS_REGISTRY
    extractors[TINY] = Tiny
    yield package
    del extractors[TINY]


def write_pictures(folder: Path, count: int, light: float, seed: int) -> list[Path]:
    rng = np.random.default_rng(seed)
    folder.mkdir()
    files = [folder / f"{index:03}.png" for index in range(count)]
    for index, file in enumerate(files):
        size = (8, 10, 3) if index % 2 else (9, 7, 3)  # scenes differ in size
        pixels = rng.normal(light, 0.1 + 0.1 * rng.uniform(), size)
        Image.fromarray((255 * np.clip(pixels, 0, 1)).astype(np.uint8)).save(file)
    return files


def features(files: list[Path]) -> np.ndarray:
    found = []
    for file in files:
        x = np.asarray(Image.open(file), np.float32) / 255
        found.append(np.concatenate([x.mean((0, 1)), x.std((0, 1), ddof=1)]))
    return np.stack(found)


def test_it_is_the_packages_on_the_same_features(package: Any, tmp_path: Path) -> None:
    made, true = write_pictures(tmp_path / "made", 24, 0.4, 0), write_pictures(tmp_path / "true", 30, 0.5, 1)
    found = distances(made, true, None, few=True, extractor=TINY)
    ours, theirs = features(made), features(true)
    fid: Any = import_module("torch_fidelity.metric_fid")
    statistics = [fid.fid_features_to_statistics(torch.from_numpy(x)) for x in (ours, theirs)]
    wanted = fid.fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"]
    assert found.fid == pytest.approx(wanted, rel=1e-3)
    # The formula itself: |m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^(1/2)).
    S1, S2 = (np.cov(x, rowvar=False) for x in (ours, theirs))
    root = np.real(np.asarray(sqrtm(S1 @ S2)))
    formula = np.sum((ours.mean(0) - theirs.mean(0)) ** 2) + np.trace(S1 + S2 - 2 * root)
    assert found.fid == pytest.approx(formula, rel=1e-3) and found.fid > 0.01
    kid: Any = import_module("torch_fidelity.metric_kid")
    wanted = kid.kid_features_to_metric(
        *(torch.from_numpy(x) for x in (ours, theirs)), kid_subsets=100, kid_subset_size=24, verbose=False
    )
    assert found.kid == pytest.approx(wanted["kernel_inception_distance_mean"], rel=1e-3)
    assert found.kid_deviation == pytest.approx(wanted["kernel_inception_distance_std"], rel=1e-2)
    assert (found.made, found.true) == (24, 30)
    same = distances(made, made, None, few=True, extractor=TINY)
    assert same.fid == pytest.approx(0, abs=1e-5)


def test_few_pictures_are_refused_unless_they_are_wanted(package: Any, tmp_path: Path) -> None:
    files = write_pictures(tmp_path / "made", 4, 0.5, 0)
    with pytest.raises(InputError, match=r"4 made pictures are too few for FID and KID, .* fewer than 1,000"):
        distances(files, files * 250, None, extractor=TINY)
    with pytest.raises(InputError, match="4 true pictures are too few"):
        distances(files * 250, files, None, extractor=TINY)
    assert distances(files, files, None, few=True, extractor=TINY).made == 4
    with pytest.raises(InputError, match="1 true pictures have no spread"):
        distances(files, files[:1], None, few=True, extractor=TINY)


def test_the_report_says_how_few_there_are() -> None:
    rows = {"guided": Distances(123.456, 0.0123, 0.002, 40, 30)}
    text = distance_lines(rows, "a package")
    assert "40 made pictures a row against 30" in text[2] and "fewer than 1,000" in text[2]
    assert "Subsets have 30 pictures, all of the smaller side" in text[2]
    assert text[-1] == "| guided | 123.46 | 12.30 ± 2.00 |"
    assert "fewer" not in distance_lines({"guided": rows["guided"]._replace(made=1000, true=2000)}, "a package")[2]


def test_weights_that_run_code_or_are_none_are_told(package: Any, tmp_path: Path) -> None:
    files = write_pictures(tmp_path / "made", 2, 0.5, 0)

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"fc.weight": Trap()}, tmp_path / "trap.pth")
    torch.save({"fc.weight": torch.zeros(2)}, tmp_path / "other.pth")
    for name in ("trap.pth", "other.pth", "missing.pth"):
        with pytest.raises(InputError, match=rf"{name}: FID and KID cannot be measured with these weights"):
            distances(files, files, tmp_path / name, few=True, extractor=EXTRACTOR)
    assert not (tmp_path / "sprung").exists() and "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


def test_a_missing_package_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(InputError, match=r"pip install 'nvs-jax\[fid\]'"):
        package_name()
