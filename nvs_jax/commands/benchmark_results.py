"""What a benchmark has measured, and what it still has to: results by key, and frames that are kept beside them."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nvs_jax.commands.benchmark_fingerprint import fingerprint
from nvs_jax.commands.benchmark_tasks import part_of, shorter_side
from nvs_jax.errors import InputError
from nvs_jax.evaluation.field.kept_frames import KeptVideo, kept_video
from nvs_jax.evaluation.field.samples import variants_of
from nvs_jax.evaluation.field.samples_report import Line
from nvs_jax.evaluation.records import Records
from nvs_jax.media.splits import WITHOUT_TRUTH, Sample
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.models.lpips import Lpips
from nvs_jax.pipeline import Pipeline
from nvs_jax.settings.benchmark import BenchmarkJob

PROTOCOL = 1
"""Goes up whenever the same frames would get other scores: old results are left."""


class Video(NamedTuple):
    """What is measured at once: the scene, the row, which video of the scene, and how many it has."""

    scene: str
    variant: str
    video: int
    videos: int


@dataclass(frozen=True)
class Bench:
    """What is measured, with what, and where to.

    Attributes:
        job: of the command.
        pipeline: the model.
        weights: a short name of it.
        scenes: by name; what each calls reads its cameras.
        records: what has been measured.
        frames: the folder of frames that are kept.
        lpips: measures LPIPS; None: that is not asked for, or nobody knows a truth.
        fingerprints: of the scenes that were read.
    """

    job: BenchmarkJob
    pipeline: Pipeline
    weights: str
    scenes: Mapping[str, Callable[[], Sample | Unposed]]
    records: Records
    frames: Path
    lpips: Lpips | None = None
    fingerprints: dict[str, str] = field(default_factory=dict)

    @property
    def variants(self) -> tuple[str, ...]:
        """What is compared."""
        return variants_of(self.job.split not in WITHOUT_TRUTH)

    @property
    def keeps_frames(self) -> bool:
        """Whether frames are kept: that is asked for, or what is measured of them."""
        job = self.job
        return job.keep_frames or job.cameras or job.fid is not None or job.camera_files is not None

    @cached_property
    def lpips_name(self) -> str | None:
        """Which LPIPS is measured, as results say it; None: none is."""
        return None if self.lpips is None else lpips_name(self.lpips)

    def key(self, scene: str, variant: str, video: int) -> str:
        """Names a result; equal where the frames are."""
        job = self.job
        depth = [job.distance, job.depth_weights, job.depth_kind]
        size = [shorter_side(job), part_of(job), job.compared_side]
        asked = [job.split, job.inputs, job.targets, *depth, *size, job.dtype, job.seed, job.preset]
        parts = [PROTOCOL, self.weights, asked, asdict(job.settings), scene, self._fingerprint(scene), variant, video]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:24]

    def _fingerprint(self, scene: str) -> str:
        if scene not in self.fingerprints:
            try:
                self.fingerprints[scene] = fingerprint(self.scenes[scene]())
            except InputError:  # which is said when its turn comes, of another process perhaps
                return "unreadable"
        return self.fingerprints[scene]

    def kept(self, variant: str, scene: str, video: int) -> KeptVideo:
        """Where frames of a video are kept."""
        return kept_video(self.frames, variant, scene, video)

    def holds_frames(self, variant: str, scene: str, video: int) -> bool:
        """Whether they are there."""
        return self.kept(variant, scene, video).holds(self.key(scene, variant, video))

    def line(self, scene: str, variant: str, video: int) -> Line | None:
        """What has been measured of a video; None: not all that is asked for."""
        line = self.records.lines.get(self.key(scene, variant, video))
        if line is None or self.lpips_name not in (None, line.get("lpips")):
            return None
        if self.keeps_frames and not self.holds_frames(variant, scene, video):
            return None
        return line

    def lines(self, scene: str, variant: str) -> list[Line]:
        """What has been measured of a scene, a line a video; empty until all of its videos are there."""
        found: list[Line] = []
        while (line := self.line(scene, variant, len(found))) is not None:
            found.append(line)
        return found if found and len(found) == found[0]["videos"] else []

    def unmeasured(self) -> list[str]:
        """Scenes of which something is missing."""
        return [name for name in self.scenes if not all(self.lines(name, variant) for variant in self.variants)]


def lpips_name(lpips: Lpips) -> str:
    """The backbone, and a digest of all weights."""
    digest = hashlib.sha256()
    for name, values in sorted(lpips.weights.items()):
        digest.update(name.encode() + np.ascontiguousarray(values).tobytes())
    return f"{lpips.backbone.name} {digest.hexdigest()[:8]}"
