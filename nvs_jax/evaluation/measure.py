"""Measure variants on scenes: what is already on disk is not measured again."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nvs_jax.evaluation.camera_accuracy import camera_errors
from nvs_jax.evaluation.problems import Truth, frames_of, true_views
from nvs_jax.evaluation.records import Experiment, Records
from nvs_jax.evaluation.scores import score
from nvs_jax.evaluation.variants import Variant
from nvs_jax.pipeline import Pipeline
from nvs_jax.saying import bar, say

Line = dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """A model, what it is measured on, and where results are kept."""

    pipeline: Pipeline
    experiment: Experiment
    records: Records

    def lines(self, seeds: Iterable[int], variant: Variant) -> list[Line]:
        """Results of a variant, one a scene, all measured before."""
        return [self.records.lines[self.experiment.key(seed, variant)] for seed in seeds]


def measure(
    bench: Bench,
    seeds: Iterable[int],
    variants: Iterable[Variant],
    cameras: bool = False,
    title: str = "evaluate",
) -> None:
    """Fill in what is missing of all variants on all scenes, scene by scene.

    Args:
        bench: results go to its records.
        seeds: of the scenes.
        variants: with numbers for trust.
        cameras: measure camera accuracy, too.
        title: of the progress bar.
    """
    variants, key = list(variants), bench.experiment.key
    wanted = [(seed, variant) for seed in seeds for variant in variants]
    missing = [one for one in wanted if _is_missing(bench.records.lines.get(key(*one)), cameras)]
    truth = _LastTruth(bench)
    try:
        for seed, variant in bar(missing, desc=title, unit="video", disable=not missing):
            entries = measure_one(bench.pipeline, truth(seed, variant.shading), variant, seed, cameras)
            named = {"weights": bench.experiment.weights, "seed": seed, "variant": variant.described()}
            bench.records.append(key(seed, variant), **named, **entries)
    except KeyboardInterrupt:
        say(f"nvs-jax: interrupted; what was measured is kept in {bench.records.path}")
        raise SystemExit(130) from None


def measure_one(pipeline: Pipeline, truth: Truth, variant: Variant, seed: int, cameras: bool = False) -> Line:
    """Scores and seconds of one variant on one scene; the first of a kind compiles, and its seconds say so."""
    since = time.perf_counter()
    frames = frames_of(pipeline, truth, variant, seed)
    line: Line = {"seconds": round(time.perf_counter() - since, 3)}
    line["scores"] = asdict(score(frames[1:], np.asarray(truth.pictures[1:]), np.asarray(truth.holes)))
    if cameras:
        line["cameras"] = asdict(camera_errors(truth, frames, variant.shading))
    return line


def _is_missing(line: Line | None, cameras: bool) -> bool:
    return line is None or (cameras and "cameras" not in line)


class _LastTruth:
    """The truth of a scene, rendered once while variants of the same scene follow each other."""

    def __init__(self, bench: Bench):
        self._settings = bench.experiment.settings
        self._seed = -1
        self._by_shading: dict[float, Truth] = {}

    def __call__(self, seed: int, shading: float) -> Truth:
        if seed != self._seed:
            self._seed, self._by_shading = seed, {}
        if shading not in self._by_shading:
            self._by_shading[shading] = true_views(seed, shading, self._settings)
        return self._by_shading[shading]
