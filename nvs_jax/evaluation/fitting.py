"""The trust in the warped view that does best on the fitting scenes: a search over a small grid.

The grid's results are kept as all others are, so that a search goes on where it was broken off. What it finds, or what
another search found, is a `Fit`, and a file of it can be handed to the benchmark.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.disk import atomic_path
from nvs_jax.disk.files import read_bounded
from nvs_jax.errors import InputError
from nvs_jax.evaluation.measure import Bench, measure
from nvs_jax.evaluation.variants import GUIDED, ClosedForm, Constant, Fit, MethodFit, Rule, Variant
from nvs_jax.settings import Guided

CONSTANTS = tuple(Constant(w) for w in (0.3, 0.6, 0.8, 0.9, 0.95, 1.0))
LEARNING_RATES = (0.02, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Of Post; the release's is 0.02."""
CROSSINGS = (0.02, 0.1, 0.5, 2.0, 7.0)
"""Noise levels at which w of the farthest frame is 1/2; the release's is 7. Of nearer frames it is proportionally
less."""
SHARPNESSES = (5.0, 50.0, 10_000.0)
"""v3 / v1: how suddenly w falls with the noise level; the release's is 10,000. At 4 or less it never gets below 1/2."""


def closed_forms(sigma_scale: float = 700.0) -> tuple[ClosedForm, ...]:
    """The grid: v1 is 0.001, as the release's; v2 and v3 follow from where w crosses 1/2 and how suddenly."""
    return tuple(
        ClosedForm(0.001, 0.001 * sharpness * sigma_scale / crossing, 0.001 * sharpness)
        for crossing in CROSSINGS
        for sharpness in SHARPNESSES
    )


def fit(bench: Bench, seeds: Sequence[int], steps: int = 25) -> Fit:
    """The rules with the best mean PSNR over all pixels of the fitting scenes, for each method.

    Post's learning rate is chosen first, with w = 1, and then kept.

    Args:
        bench: model and records.
        seeds: of the fitting scenes.
        steps: of the solver.
    """
    best: dict[Guided, MethodFit] = {}
    methods: tuple[Guided, ...] = GUIDED
    for method in methods:
        plain = Variant(method, steps=steps)
        if method == "post":
            plain = _best(bench, seeds, [replace(plain, trust=Constant(), learning_rate=x) for x in LEARNING_RATES])
        groups: tuple[Sequence[Rule], ...] = (CONSTANTS, closed_forms(bench.pipeline.model.sigma_scale))
        constant, closed_form = (
            _best(bench, seeds, [replace(plain, trust=rule) for rule in group]).trust for group in groups
        )
        assert isinstance(constant, Constant)
        assert isinstance(closed_form, ClosedForm)
        rate = MethodFit().learning_rate if plain.learning_rate is None else plain.learning_rate
        best[method] = MethodFit(constant, closed_form, rate)
    return Fit(best["dgs"], best["post"])


def _best(bench: Bench, seeds: Sequence[int], variants: Sequence[Variant]) -> Variant:
    measure(bench, seeds, variants, title=f"fit {variants[0].method}")
    return max(variants, key=lambda variant: _mean_psnr(bench, seeds, variant))


def write_fit(path: Path, found: Fit) -> None:
    """Keep a fit: {"dgs": {"constant": {"w": ...}, "closed_form": {"v1": ...}}, "post": ...}."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(asdict(found), indent=1) + "\n")


def read_fit(path: Path) -> Fit:
    """A fit that `write_fit` wrote, or another program.

    Raises:
        InputError: the file is none.
    """
    try:
        content = json.loads(read_bounded(path, 2**16).decode("utf-8"))
        return Fit(*(_method_fit(content[method]) for method in GUIDED))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} holds no fit such as `nvs-jax evaluate` writes as fit.json: {error!r}") from None


def _method_fit(content: Any) -> MethodFit:
    w = _number(content["constant"]["w"])
    v1, v2, v3 = (_number(content["closed_form"][name]) for name in ("v1", "v2", "v3"))
    if not (0 <= w <= 1 and v1 > 0 and v2 >= 0 and v3 >= 0):
        raise ValueError("w lies in [0, 1], v1 is positive, v2 and v3 are not negative")
    rate = _number(content.get("learning_rate", MethodFit().learning_rate))
    if rate <= 0:
        raise ValueError("the learning rate is positive")
    return MethodFit(Constant(w), ClosedForm(v1, v2, v3), rate)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return float(value)


def _mean_psnr(bench: Bench, seeds: Sequence[int], variant: Variant) -> float:
    return float(np.mean([line["scores"]["psnr"] for line in bench.lines(seeds, variant)]))
