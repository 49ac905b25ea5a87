"""From pictures to maps, against what transformers' processor and network make of them."""

from typing import Any

import jax
import numpy as np
import pytest
import torch

from nvs_jax.loading import load_depth
from nvs_jax.models.depth import DepthEstimator
from nvs_jax.models.depth import estimator as module
from tests.models.comparing import relative_error
from tests.models.depth.folders import config
from tests.models.depth.published import network, processor, write_folder

SMALL: dict[str, Any] = {"size": {"height": 70, "width": 70}}


@pytest.fixture(scope="module")
def estimator(tmp_path_factory) -> DepthEstimator:
    """A small one, which sees small pictures."""
    folder = write_folder(tmp_path_factory.mktemp("depth") / "small", config())
    processor(**SMALL).save_pretrained(folder)
    return load_depth(folder)


def pictures(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8)


def test_maps_are_those_of_transformers(estimator: DepthEstimator):
    given = pictures(2, 90, 130)
    theirs, reader = network(config()), processor(**SMALL)
    inputs = reader(list(given), return_tensors="pt")
    assert inputs["pixel_values"].shape == (2, 3, 70, 98)
    with torch.no_grad():
        sized = reader.post_process_depth_estimation(theirs(**inputs), target_sizes=[(90, 130)] * 2)
    expected = np.maximum([np.asarray(entry["predicted_depth"]) for entry in sized], 0)
    maps = estimator.estimate(given / np.float32(255))
    assert maps.dtype == np.float32 and not estimator.metric
    assert relative_error(maps, expected) < 1e-5  # float32 sums in another order


def test_frames_do_not_depend_on_how_they_are_grouped(estimator: DepthEstimator, monkeypatch):
    frames = pictures(5, 70, 70) / np.float32(255)
    alone = np.concatenate([estimator.estimate(frame[None]) for frame in frames])
    monkeypatch.setattr(module, "SEGMENT", 4)
    in_chunks = DepthEstimator(estimator.config, estimator.weights, estimator.preprocessing, chunk=3)
    assert relative_error(in_chunks.estimate(frames), alone) < 1e-6
    assert in_chunks.estimate(frames[:0]).shape == (0, 70, 70)


def test_another_picture_of_any_size_with_these_proportions_compiles_nothing(estimator: DepthEstimator):
    estimator.estimate(pictures(1, 70, 98) / np.float32(255))
    with jax.no_tracing():
        estimator.estimate(pictures(1, 140, 196) / np.float32(255))


def test_metric_maps_are_bounded(tmp_path):
    published = config(depth_estimation_type="metric", max_depth=20)
    metric = load_depth(write_folder(tmp_path / "metric", published))
    small = DepthEstimator(metric.config, metric.weights, module.Preprocessing(height=70, width=70))
    maps = small.estimate(pictures(1, 40, 60) / np.float32(255))
    assert metric.metric and maps.shape == (1, 40, 60) and 0 <= maps.min() < maps.max() < 25
