"""Pictures or a video in, a folder of depth maps out: what `nvs-jax depth` does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image

from nvs_jax.disk import job_at_hand
from nvs_jax.errors import InputError
from nvs_jax.loading import load_depth
from nvs_jax.media import as_float, frame_files, open_video, read_photo, write_picture
from nvs_jax.media.photo import PICTURE_SUFFIXES, Picture, photo_size
from nvs_jax.runs.results import result_folder, write_record
from nvs_jax.saying import tell
from nvs_jax.settings import MOST_FRAMES
from nvs_jax.settings.jobs import DepthJob

# Pictures read before any is estimated: a long video of photos is never in memory as a whole.
TOGETHER = 32
MAX_PIXELS = TOGETHER * 1920 * 1080

Pictures = Float[np.ndarray, "n H W 3"]
Map = Float[np.ndarray, "H W"]


class Span(NamedTuple):
    """What all maps of a run share, so that the frames of a video keep their colours.

    Attributes:
        low: the farthest that has a colour of its own, as disparity.
        high: the same for the nearest.
        steps: .png values a metre of depth or a unit of disparity.
    """

    low: float
    high: float
    steps: float


def run_depth(job: DepthJob) -> None:
    """Estimate, and write every map as numbers, as a 16-bit picture and in colours.

    Raises:
        InputError: pictures or weights that cannot be had.
    """
    with job_at_hand(job) as near:
        _estimate(near)


def _estimate(job: DepthJob) -> None:
    start = time.monotonic()
    given = (job.source, Path(job.weights))
    with result_folder(job.out, overwrite=job.overwrite, inputs=given) as folder, _batches(job.source) as batches:
        estimator = load_depth(job.weights)
        kind = "depth" if estimator.metric else "disparity"
        for name in ("maps", "png", "colours"):
            (folder / name).mkdir()
        names: list[str] = []
        for stems, pictures in batches:
            for stem, values in zip(stems, estimator.estimate(pictures), strict=True):
                np.save(folder / "maps" / f"{stem}.npy", values)
            names += stems
        span = _span(folder / "maps", names, metric=estimator.metric)
        for name in names:
            values = np.load(folder / "maps" / f"{name}.npy", allow_pickle=False)
            steps = np.clip(np.round(values * span.steps), 0, 65535).astype(np.uint16)
            Image.fromarray(steps).save(folder / "png" / f"{name}.png")
            write_picture(folder / "colours" / f"{name}.png", coloured(_near(values, estimator.metric), span))
        seconds = round(time.monotonic() - start, 3)
        write_record(folder, job=asdict(job), kind=kind, maps=len(names), png_scale=span.steps, seconds=seconds)
    meaning = "depth in metres (large is far)" if estimator.metric else "disparity (large is near)"
    tell(f"{job.out}/maps: {len(names)} of {meaning}, for --depth with --depth-kind {kind}")


def coloured(near: Map, span: Span) -> Float[np.ndarray, "H W 3"]:
    """A map in colours, near bright and far dark.

    >>> near, far = coloured(np.array([[1.0, 0.0]], np.float32), Span(0.0, 1.0, 1.0))[0]
    >>> bool(near.sum() > 2 > 0.1 > far.sum())
    True
    """
    from matplotlib import colormaps

    shade = np.clip((near - span.low) / max(span.high - span.low, np.finfo(np.float32).tiny), 0, 1)
    return colormaps["inferno"](shade)[..., :3].astype(np.float32)


def _near(values: Map, metric: bool) -> Map:
    """What colours follow: disparity."""
    return 1 / np.maximum(values, np.float32(1e-3)) if metric else values


def _span(maps: Path, names: list[str], *, metric: bool) -> Span:
    """Of all maps together: from the 2nd to the 98th percentile, so that a stray pixel does not flatten the rest."""
    largest, samples = 0.0, []
    for name in names:
        values = np.load(maps / f"{name}.npy", allow_pickle=False)
        largest = max(largest, float(values.max()))
        samples.append(_near(values, metric).ravel()[::101])
    low, high = np.percentile(np.concatenate(samples), [2, 98])
    full = 65535 / largest if largest > 0 else 1.0
    # Depth in millimetres, which readers expect, unless it is too far for 16 bits.
    return Span(float(low), float(high), min(1000.0, full) if metric else full)


@contextmanager
def _batches(source: Path) -> Iterator[Iterator[tuple[list[str], Pictures]]]:
    """Names and pictures of one size, a few at a time: one photo, a folder of photos, or a video.

    Raises:
        InputError: nothing that can be read; said at once, before any weights are.
    """
    if source.is_dir():
        paths = frame_files(source)
        stems = [path.stem for path in paths]
        twice = next((stem for stem in stems if stems.count(stem) > 1), None)
        if twice is not None:
            raise InputError(f"{source}: two pictures are called {twice}, and so would be their maps: rename one")
        yield _together((path.stem, read_photo(path)) for path in paths)
    elif source.suffix.lower() in PICTURE_SUFFIXES:
        photo_size(source)  # complains of what is no picture
        yield _together((path.stem, read_photo(path)) for path in [source])
    else:
        with open_video(source, max_frames=MOST_FRAMES) as clip:
            yield _together((f"{index:03d}", shot.picture) for index, shot in enumerate(clip.shots))


def _together(pictures: Iterator[tuple[str, Picture]]) -> Iterator[tuple[list[str], Pictures]]:
    """Pictures of one size after each other, no more than `TOGETHER`, and no more pixels than those have in full HD."""
    stems: list[str] = []
    batch: list[np.ndarray] = []
    for stem, picture in pictures:
        together = min(TOGETHER, max(1, MAX_PIXELS // (picture.shape[0] * picture.shape[1])))
        if batch and (picture.shape != batch[0].shape or len(batch) >= together):
            yield stems, as_float(np.stack(batch))
            stems, batch = [], []
        stems.append(stem)
        batch.append(picture)
    yield stems, as_float(np.stack(batch))
