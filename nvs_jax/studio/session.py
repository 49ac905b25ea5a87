"""What somebody at the studio has chosen so far: a job, perhaps with key frames, and what follows from it.

A session is a value: `nvs_jax.studio.changes` make another one. What it shows is computed when it is asked for, once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.inputs.camera_path import camera_path, focal_factors
from nvs_jax.inputs.understood import Ahead, Origin, depth_range, holes_line, inputs_line
from nvs_jax.pipeline import override
from nvs_jax.settings import PathSettings, RenderSettings
from nvs_jax.settings.jobs import RenderJob
from nvs_jax.steering import Conditions
from nvs_jax.studio.command_line import command, mode_of
from nvs_jax.studio.keys import Pose, centre_of, looking_at, through_keys
from nvs_jax.studio.scene import Scene
from nvs_jax.studio.warps import TOGETHER, Shown, Track, shown, warp_frames, warp_whole


@dataclass(frozen=True, eq=False)
class Session:
    """A choice.

    Attributes:
        scene: the given views.
        job: the render that is being prepared; what is chosen so far is in its settings.
        keys: world-to-camera key frames in place of the path of the settings; the first is the given view's pose.
        follows: keep what is in the middle of the given view in the middle of all frames, of key frames.
        saved: the file that holds the path through the key frames as it is now.
    """

    scene: Scene
    job: RenderJob
    keys: tuple[Pose, ...] = ()
    follows: bool = False
    saved: Path | None = None

    @property
    def settings(self) -> RenderSettings:
        """Of the render, with its own method and steps."""
        return override(self.job.settings, self.job.method, self.job.steps)

    @property
    def path(self) -> PathSettings:
        """Where the camera goes, unless it goes through key frames."""
        return self.job.settings.path

    @property
    def frames(self) -> int:
        """Of the path."""
        if self.path.frames is not None:
            return self.path.frames
        return self.scene.lattice.frames if self.scene.clip is None else len(self.scene.clip[0])

    @property
    def is_free(self) -> bool:
        """Whether the camera goes along a path of one's own, not from view to view or all the way round."""
        return self.scene.sources is None and (bool(self.keys) or self.path.kind != "full-turn")

    @cached_property
    def track(self) -> Track:
        """Where the camera goes.

        Raises:
            InputError: settings or key frames that are no path.
        """
        if not self.is_free:
            return self._whole[0]
        if self.keys:
            path = _in_file(self.job, self.path_file, self.frames).settings.path
            poses = through_keys(self.keys, self.frames, self.settings.path.distance)
            if self.follows:
                poses[1:] = looking_at(poses[1:], self.middle)
        else:
            path = self.settings.path
            poses = np.asarray(camera_path(path, self.frames), np.float64)
        lenses = np.repeat(np.asarray(self.scene.view.intrinsics, np.float64)[None], len(poses), 0)
        lenses[:, [0, 1], [0, 1]] *= np.asarray(focal_factors(path, len(poses)))[:, None]
        return Track(poses, lenses)

    @cached_property
    def strip(self) -> Shown:
        """All frames of the path, and their shares of holes."""
        if self.is_free:
            return warp_frames(self.scene, self.track, self.settings, list(range(len(self.track.poses))))
        known = self._whole[1]
        return shown(known.warped, known.holes)

    def strip_in_pieces(self) -> Iterator[int]:
        """Compute `strip` a few frames at a time, and tell how many there are; what was left off goes on."""
        count = len(self.track.poses)
        if "strip" in vars(self) or not self.is_free:
            yield len(self.strip.shares)
            return
        parts: list[Shown] = vars(self).setdefault("_parts", [])
        while len(parts) * TOGETHER < count:
            at = len(parts) * TOGETHER
            parts.append(warp_frames(self.scene, self.track, self.settings, list(range(at, min(at + TOGETHER, count)))))
            yield min(at + TOGETHER, count)
        vars(self)["strip"] = Shown(*(np.concatenate(kind) for kind in zip(*parts, strict=True)))

    def frame(self, number: int) -> Shown:
        """One frame of the path, fast.

        Args:
            number: which; the last one, if the path is shorter.
        """
        number = min(number, len(self.track.poses) - 1)
        if self.is_free and "strip" not in vars(self):
            return warp_frames(self.scene, self.track, self.settings, [number])
        return Shown(self.strip.pictures[[number]], self.strip.shares[[number]])

    def seen_from(self, pose: Pose) -> Shown:
        """What a camera of one's own would see, of a photo or of a video's first frame."""
        given = self.track.poses[0]
        lens = np.repeat(np.asarray(self.scene.view.intrinsics)[None], 2, 0)
        scene = self.scene if self.scene.sources is None else replace(self.scene, sources=None)
        return warp_frames(scene, Track(np.stack([given, pose]), lens), self.settings, [1])

    @cached_property
    def middle(self) -> Float[np.ndarray, "3"]:
        """World position of what is in the middle of the given view: on its axis, at the median depth there."""
        given = self.keys[0] if self.keys else np.asarray(self.track.poses[0], np.float64)
        return centre_of(given) + given[2, :3] * self.distance

    @property
    def distance(self) -> float:
        """Of what is in the middle of the given view, in scene units."""
        return depth_range(self.scene.view, self.settings.camera.disparity.centre).middle

    @property
    def scale(self) -> str:
        """In which units depth and path are, in words."""
        view = self.scene.view
        if view.depth_kind == "disparity":
            unit = "relative, as disparity has no unit"
        else:
            unit = "metric, metres as they were estimated" if view.estimated else "that of the given depth"
        middle, about = (float(f"{value:.3g}") for value in (self.distance, self.path.distance))
        return f"scale: {unit}; the middle of the picture is {middle:g} away, the path is about a point {about:g} away"

    @property
    def about(self) -> tuple[str, str]:
        """How the inputs were understood, and how much of the video the model invents, in the command's own words."""
        origin = Origin(mode_of(self.job), fps=self.scene.view.fps)
        numbers = tuple(range(1, len(self.strip.shares)))
        ahead = Ahead(self.strip.shares[1:], numbers)
        view = self.scene.view
        return inputs_line(view, self.settings, origin), holes_line(ahead, view, self.settings, origin)

    @property
    def ready(self) -> RenderJob:
        """The job as it can be rendered: a path through key frames is that of a file.

        Raises:
            InputError: the path through the key frames is not saved as it is now.
        """
        if not self.keys:
            return self.job
        if self.saved is None:
            raise InputError("the path through the key frames is not in a file yet: save it first")
        return _in_file(self.job, self.saved, self.frames)

    @property
    def command(self) -> str:
        """The command that renders this; of a path that is not saved, with the file that it would be saved in."""
        return command(_in_file(self.job, self.saved or self.path_file, self.frames) if self.keys else self.job)

    @property
    def path_file(self) -> Path:
        """Where the path through the key frames is saved unless another file is named: beside the result."""
        return self.job.out.with_name(f"{self.job.out.name}.path.json")

    @cached_property
    def _whole(self) -> tuple[Track, Conditions]:
        return warp_whole(self.scene, self.settings)


def _in_file(job: RenderJob, file: Path, frames: int) -> RenderJob:
    path = replace(job.settings.path, kind="file", file=file, frames=frames)
    return replace(job, settings=replace(job.settings, path=path))
