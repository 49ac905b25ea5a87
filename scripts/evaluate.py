"""The benchmark with ground truth, into the documentation: `python scripts/evaluate.py WEIGHTS --cameras`.

As `nvs-jax evaluate`, whose options it takes; then the tables are written into docs/evaluation.md between its markers,
curves and a sheet of pictures into docs/images. It can be killed and goes on when called again.
"""

import shutil
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from nvs_jax.commands.compilation_cache import enable_compilation_cache
from nvs_jax.commands.evaluate import Evaluation, run_evaluate
from nvs_jax.evaluation.problems import frames_of, true_views
from nvs_jax.evaluation.variants import MAIN, resolve
from nvs_jax.media import write_picture
from nvs_jax.runs.results import sheet
from nvs_jax.settings.jobs import EvaluateJob
from scripts.documentation import write_results
from scripts.mistakes import mistakes_in_one_line


def pictures(done: Evaluation, seed: int) -> np.ndarray:
    """A sheet of one scene: the truth, and the frames of every method of the first table."""
    bench = done.bench
    truth = true_views(seed, 0.0, bench.experiment.settings)
    rows = {"truth": np.asarray(truth.pictures)}
    for title, variant in done.tables[MAIN].items():
        rows[title] = frames_of(bench.pipeline, truth, resolve(variant, done.fit), seed)
    return sheet(rows, columns=4)


def write_docs(done: Evaluation, out: Path, docs: Path) -> None:
    """Tables, curves and pictures to where the documentation has them."""
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    shown = {"evaluation.jpg": f"Frames of scene {done.seeds[0]}"}
    write_picture(images / "evaluation.jpg", pictures(done, done.seeds[0]))
    for name, caption in (("angles", "Quality by angle"), ("steps", "Quality by the number of steps")):
        if (out / f"{name}.png").exists():
            shutil.copyfile(out / f"{name}.png", images / f"evaluation_{name}.png")
            shown[f"evaluation_{name}.png"] = caption
    links = "\n\n".join(f"![{caption}](images/{name})" for name, caption in shown.items())
    write_results(docs / "evaluation.md", "scripts/evaluate.py", f"{done.text}\n{links}")


def main(job: Annotated[EvaluateJob, tyro.conf.arg(name="")], docs: Path = Path("docs")) -> None:
    """Measure what is missing, and write the documentation.

    Args:
        job: see `nvs-jax evaluate --help`.
        docs: the folder with evaluation.md.
    """
    enable_compilation_cache()
    write_docs(run_evaluate(job), job.out, docs)


if __name__ == "__main__":
    with mistakes_in_one_line():
        tyro.cli(main)
