"""Weights of the warped view by gradients through the sampler: `python scripts/tune_guidance.py WEIGHTS` tunes them.

The error of the sampler's result against the truth of the fitting scenes is differentiated in v1, v2, v3 of (18), or in
a free table of noise levels and frames, through all steps, and Adam follows it, a scene at a time. The error is that of
latents unless frames are asked for: the truth's are encoded once, and no run has to be decoded. The selection is
smooth or the blend while fitting, for the release's is a step function of w. What was found is then measured on scenes
of the evaluation with the ordinary estimates, beside the release's coefficients. Defaults: a quarter of an hour on one
core with the small model.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

import jax
import numpy as np
import optax
import tyro
from tqdm import tqdm

from nvs_jax.commands.compilation_cache import enable_compilation_cache
from nvs_jax.commands.evaluate import measuring, open_bench
from nvs_jax.diffusion import karras_sigmas
from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.evaluation.fitting import read_fit, write_fit
from nvs_jax.evaluation.intervals import interval, paired_interval
from nvs_jax.evaluation.measure import Bench, measure
from nvs_jax.evaluation.problems import rule_table, true_views
from nvs_jax.evaluation.report import MEASURES, markdown_table, scene_means, signed
from nvs_jax.evaluation.tuning import (
    Parameters,
    TuningScene,
    error_and_gradient,
    tuned_coefficients,
    tuned_table,
    tuning_scene,
)
from nvs_jax.evaluation.variants import ClosedForm, Fit, Rule, Variant
from nvs_jax.media import trust_heat_map
from nvs_jax.pipeline import load
from nvs_jax.settings import Guided
from nvs_jax.settings.evaluation import EVALUATION_SEEDS, FITTING_SEEDS, BenchmarkSettings
from nvs_jax.settings.jobs import Dtype
from scripts.documentation import write_results
from scripts.mistakes import mistakes_in_one_line

RELEASE, TUNED, GIVEN = "release's v1 v2 v3", "tuned", "of the given fit"
ESTIMATES: dict[Literal["select", "blend"], str] = {"select": "selected", "blend": "blended"}


@dataclass(frozen=True)
class Arguments:
    """What is tuned, how, and what it is measured on."""

    weights: tyro.conf.Positional[str]
    """As of `nvs-jax evaluate`."""
    out: Path = Path("out/tuning")
    """The folder for fit.json (of the closed form, for `nvs-jax evaluate --fit`), tuning.json, weights.png and the
    results of the held-out scenes."""
    form: Literal["closed", "table"] = "closed"
    """v1, v2, v3 of (18), or w by noise level and frame."""
    method: Guided = "dgs"
    """Whose trust."""
    target: Literal["latents", "frames"] = "latents"
    """Whose error is followed; that of frames takes the decoder and its gradient, too."""
    estimate: Literal["smooth", "blend"] = "smooth"
    """How x0 and the warp are brought together while fitting."""
    steps: int = 10
    """Of the sampler, while fitting."""
    scenes: int = len(FITTING_SEEDS)
    """How many of the fitting scenes, in turn."""
    iterations: int = 30
    """Steps of Adam."""
    learning_rate: float = 0.2
    """Of Adam, falling to 0: in logarithms of v1, v2, v3, or logits of w."""
    start: ClosedForm = ClosedForm(0.2, 1000.0, 10.0)
    """Where it begins: where the release's w falls, but less suddenly, for w that jumps has no gradient."""
    levels: tuple[float, ...] = (50.0, 10.0, 3.0, 1.0, 0.3, 0.05)
    """Noise levels of the table, falling; between them w is linear in log sigma."""
    held_out: int = 8
    """On how many of the evaluation's scenes before and after are compared."""
    held_out_steps: int = 25
    """Of the sampler, on them."""
    fit: Path | None = None
    """A fit.json to compare with, whose other numbers are kept."""
    dtype: Dtype = "float32"
    """Of the UNet and the image encoder."""
    docs: Path = Path("docs")
    """The folder with guidance.md."""
    settings: Annotated[BenchmarkSettings, tyro.conf.arg(name="")] = field(default_factory=BenchmarkSettings)
    """Pictures and path."""

    def __post_init__(self):
        for name, most in (("scenes", len(FITTING_SEEDS)), ("held_out", len(EVALUATION_SEEDS))):
            if not 1 <= getattr(self, name) <= most:
                option = name.replace("_", "-")
                raise InputError(f"--{option} must lie between 1 and {most}, not {getattr(self, name)}")
        if min(self.steps, self.iterations, self.held_out_steps) < 1:
            raise InputError("--steps, --iterations and --held-out-steps must be at least 1")
        if not 0 < self.learning_rate < 10:
            raise InputError(f"--learning-rate must lie between 0 and 10, not {self.learning_rate}")
        if min(self.start.v1, self.start.v2, self.start.v3) <= 0:
            raise InputError("--start.v1, --start.v2 and --start.v3 must be positive: their logarithms are tuned")
        if not self.levels or min(self.levels) <= 0 or (np.diff(self.levels) >= 0).any():
            raise InputError(f"--levels must be positive and fall, not {' '.join(f'{s:g}' for s in self.levels)}")


def scenes_of(bench: Bench, arguments: Arguments) -> list[TuningScene]:
    """The fitting scenes, rendered and encoded."""
    variant = Variant(arguments.method, steps=arguments.steps, estimate=arguments.estimate)
    return [
        tuning_scene(
            bench.pipeline,
            true_views(seed, 0.0, arguments.settings),
            variant,
            seed,
            frames=arguments.target == "frames",
        )
        for seed in tqdm(FITTING_SEEDS[: arguments.scenes], desc="scenes", unit="scene")
    ]


def tune(
    parameters: Parameters, scenes: Sequence[TuningScene], iterations: int, learning_rate: float
) -> tuple[Parameters, list[float]]:
    """Adam on one scene after the other, again and again.

    Args:
        parameters: where it begins.
        scenes: all of one shape.
        iterations: steps of Adam.
        learning_rate: at the start; it falls to 0 by a cosine.

    Returns:
        What was found, and the error of each step's scene before the step.

    Raises:
        InputError: error or gradient are not finite.
    """
    # Gradients of a mean over a whole video may be tiny: Adam's usual epsilon would hold them back.
    optimizer = optax.adam(optax.cosine_decay_schedule(learning_rate, iterations), b2=0.99, eps=1e-15)
    leaves, structure = jax.tree.flatten(parameters)
    state, errors = optimizer.init(leaves), []
    bar = tqdm(range(iterations), desc="tune", unit="step")
    for index in bar:
        value, gradient = error_and_gradient(structure.unflatten(leaves), scenes[index % len(scenes)])
        slopes = jax.tree.leaves(gradient)
        if not all(np.isfinite(one).all() for one in (value, *slopes)):
            raise InputError(f"step {index + 1}: the error or its gradient is not finite; lower --learning-rate")
        updates, state = optimizer.update(slopes, state)
        leaves = optax.apply_updates(leaves, updates)
        errors.append(float(value))
        bar.set_postfix(error=f"{errors[-1]:.4g}")
    return structure.unflatten(leaves), errors


def variants_of(rules: dict[str, Rule], arguments: Arguments) -> dict[str, tuple[Variant, Variant]]:
    """Title of a row -> what it shows, and what it is compared with: the release's with the same estimate."""
    rows = {}
    for estimate, how in ESTIMATES.items():
        plain = Variant(arguments.method, rules[RELEASE], steps=arguments.held_out_steps, estimate=estimate)
        rows |= {f"{title}, {how}": (replace(plain, trust=rule), plain) for title, rule in rules.items()}
    return rows


def held_out_table(bench: Bench, seeds: Sequence[int], rules: dict[str, Rule], arguments: Arguments) -> list[str]:
    """Measure what is missing, and make the table."""
    variants = variants_of(rules, arguments)
    measure(bench, seeds, [variant for variant, _ in variants.values()], title="held out")
    rows = []
    for title, (variant, reference) in variants.items():
        own, other = bench.lines(seeds, variant), bench.lines(seeds, reference)
        cells = [str(interval(scene_means(own, name))) for name in MEASURES]
        for name in ("psnr", "hole_psnr"):
            pair = scene_means(own, name), scene_means(other, name)
            cells.append("-" if variant == reference else signed(paired_interval(*pair)))
        rows.append([title, *cells])
    return markdown_table(["", *MEASURES.values(), "PSNR gain", "gain in holes"], rows)


def describe(rule: Rule) -> str:
    """The numbers of a rule, in Markdown.

    >>> describe(ClosedForm(0.001, 2.0, 0.05))
    'v2/v1 = 2000, v3/v1 = 50'
    """
    match rule:
        case ClosedForm():
            return f"v2/v1 = {rule.v2 / rule.v1:.4g}, v3/v1 = {rule.v3 / rule.v1:.4g}"
        case _:
            return json.dumps(asdict(rule))


def main(arguments: Arguments) -> None:
    """Tune, measure, print, write."""
    enable_compilation_cache()
    with measuring(arguments.out):
        _run(arguments)


def _run(arguments: Arguments) -> None:
    given = None if arguments.fit is None else read_fit(arguments.fit)
    bench = open_bench(load(arguments.weights, dtype=arguments.dtype), arguments.settings, arguments.out)
    scenes = scenes_of(bench, arguments)
    closed = arguments.form == "closed"
    start = tuned_coefficients(arguments.start) if closed else tuned_table(arguments.start, arguments.levels, scenes[0])
    found, errors = tune(start, scenes, arguments.iterations, arguments.learning_rate)
    rule = found.rule()
    _write_found(rule, given or Fit(), scenes[0], arguments)
    rules: dict[str, Rule] = {RELEASE: ClosedForm()}
    if given is not None:
        rules[GIVEN] = getattr(given, arguments.method).closed_form
    rules[TUNED] = rule
    seeds = EVALUATION_SEEDS[: arguments.held_out]
    table = held_out_table(bench, seeds, rules, arguments)
    text = "\n".join([_about(rule, errors, bench, arguments), "", *table]) + "\n"
    print(text)
    record = {
        "arguments": {**asdict(arguments), "rule": asdict(rule)},
        "weights": bench.experiment.weights,
        "errors": errors,
        "table": text,
    }
    with atomic_path(arguments.out / "tuning.json") as path:
        path.write_text(json.dumps(record, indent=1, default=str) + "\n", encoding="utf-8")
    write_results(arguments.docs / "guidance.md", f"scripts/tune_guidance.py, {arguments.form}", text)


def _write_found(rule: Rule, given: Fit, scene: TuningScene, arguments: Arguments) -> None:
    """What need not wait for the held-out scenes: fit.json, and w in colours."""
    if isinstance(rule, ClosedForm):
        of_method = replace(getattr(given, arguments.method), closed_form=rule)
        write_fit(arguments.out / "fit.json", replace(given, **{arguments.method: of_method}))
    sigmas = karras_sigmas(arguments.held_out_steps)[:-1]
    w = rule_table(rule, sigmas, scene.distances)
    trust_heat_map(arguments.out / "weights.png", np.asarray(w), np.asarray(sigmas))


def _about(rule: Rule, errors: Sequence[float], bench: Bench, arguments: Arguments) -> str:
    count = min(arguments.scenes, len(errors))
    before, after = np.mean(errors[:count]), np.mean(errors[-count:])
    return (
        f"{arguments.method}, {describe(rule)}: {arguments.iterations} gradient steps on {arguments.scenes} scenes, "
        f"{arguments.steps} sampler steps, estimate {arguments.estimate}; mean squared error of {arguments.target} "
        f"{before:.4g} in the first {count} steps, {after:.4g} in the last. Measured on {arguments.held_out} other "
        f"scenes (seeds from {EVALUATION_SEEDS[0]} on){arguments.settings.looks} with {arguments.held_out_steps} "
        f"steps, weights {bench.experiment.weights}; gains are to the release's coefficients with the same estimate, "
        "scene by scene."
    )


if __name__ == "__main__":
    with mistakes_in_one_line():
        main(tyro.cli(Arguments, description=__doc__))
