"""FID and KID between two sets of pictures, as the package torch-fidelity measures them (Inception v3, 2,048 features).

The package, and PyTorch with it, is asked for only here, by name.
"""

import os
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from nvs_jax.errors import InputError
from nvs_jax.evaluation.report import markdown_table

FEWEST = 1000
"""Of pictures on either side: of fewer, FID says more about their number than about the pictures."""
EXTRACTOR = "inception-v3-compat"
_SUBSETS, _LARGEST_SUBSET = 100, 1000


class Distances(NamedTuple):
    """Between pictures that were made and pictures that were taken.

    Attributes:
        fid: Frechet distance of their features; 0 for the same.
        kid: kernel distance, mean over subsets; about 0 for the same.
        kid_deviation: its standard deviation over the subsets.
        made: how many pictures.
        true: how many of the others.
    """

    fid: float
    kid: float
    kid_deviation: float
    made: int
    true: int


def check_enough(count: int, what: str, *, few: bool) -> None:
    """Refuse to compare few pictures.

    Raises:
        InputError: fewer than 1,000, and `few` does not say that this is wanted; fewer than two.
    """
    if count < FEWEST and not few:
        raise InputError(
            f"{count} {what} pictures are too few for FID and KID, which of fewer than {FEWEST:,} depend on their "
            "number: leave --fid out, or say --fid-of-few to measure them all the same"
        )
    if count < 2:
        raise InputError(f"{count} {what} pictures have no spread, which FID and KID compare: leave --fid out")


def distances(
    made: Sequence[Path], true: Sequence[Path], weights: Path | None, *, few: bool = False, extractor: str = EXTRACTOR
) -> Distances:
    """FID and KID.

    Args:
        made: pictures; the CPU takes one after the other.
        true: what they are compared with.
        weights: of the extractor, as the package publishes them; they are read without unpickling anything but tensors.
            None: the extractor has its own.
        few: measure fewer than 1,000 pictures, too.
        extractor: of features, by the name that the package knows it by.

    Raises:
        InputError: too few pictures; torch-fidelity is missing; weights that cannot be read.
    """
    check_enough(len(made), "made", few=few)
    check_enough(len(true), "true", few=few)
    package = _torch_fidelity()
    datasets: Any = import_module("torch_fidelity.datasets")
    paths = {"input1": made, "input2": true}
    with _tensors_alone(), _said_plainly(weights):
        found = package.calculate_metrics(
            **{name: datasets.ImagesPathDataset(list(map(str, files))) for name, files in paths.items()},
            fid=True,
            kid=True,
            kid_subsets=_SUBSETS,
            kid_subset_size=min(_LARGEST_SUBSET, len(made), len(true)),
            feature_extractor=extractor,
            feature_extractor_weights_path=None if weights is None else str(weights),
            batch_size=1,  # scenes differ in size
            cuda=False,
            save_cpu_ram=True,  # no processes of its own, which JAX's threads would not survive
            cache=False,
            verbose=False,
        )
    mean, deviation = (found[f"kernel_inception_distance_{name}"] for name in ("mean", "std"))
    return Distances(found["frechet_inception_distance"], mean, deviation, len(made), len(true))


def distance_lines(found: Mapping[str, Distances], by: str) -> list[str]:
    """A section of the report.

    Args:
        found: of each row.
        by: what measured them.
    """
    first = next(iter(found.values()))
    few = min(first.made, first.true)
    lines = [
        "### FID and KID",
        "",
        f"{first.made} made pictures a row against {first.true} that were taken, by {by}: one number of all scenes, so "
        "without an interval over them; ± is KID's deviation over subsets.",
    ]
    if few < FEWEST:
        lines[-1] += (
            f" They are few, fewer than {FEWEST:,}: compare these numbers with each other alone. Subsets have "
            f"{few} pictures, all of the smaller side, so that ± says little."
        )
    rows = [
        [row, f"{each.fid:.2f}", f"{1000 * each.kid:.2f} ± {1000 * each.kid_deviation:.2f}"]
        for row, each in found.items()
    ]
    return [*lines, "", *markdown_table(["", "FID", "KID x 1000"], rows)]


def package_name() -> str:
    """What measures them, with its version."""
    return f"torch-fidelity {_torch_fidelity().__version__} (Inception v3 of 2015, 2,048 features)"


def _torch_fidelity() -> Any:
    try:
        return import_module("torch_fidelity")
    except ModuleNotFoundError:
        raise InputError("FID and KID need torch-fidelity: pip install 'nvs-jax[fid]'") from None
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"torch-fidelity does not load ({reason}): install torch and torchvision that fit") from None


@contextmanager
def _tensors_alone() -> Iterator[None]:
    """The package would unpickle whatever a file of weights holds; this makes PyTorch refuse all but tensors."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def _said_plainly(weights: Path | None) -> Iterator[None]:
    """What the package raises of a file that holds no such weights becomes an InputError."""
    try:
        yield
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"{weights}: FID and KID cannot be measured with these weights ({reason}): give "
            "weights-inception-2015-12-05-6726825d.pth, as torch-fidelity publishes it"
        ) from None
