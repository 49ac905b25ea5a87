"""Frames of a benchmark that are kept as pictures, for scores that other programs measure.

A folder a video: 000.png, 001.png, ... the frames that are scored, `asked.txt` their poses as asked for (TUM, with the
numbers of frames as times), `frames.json` which result they are of, `found.txt` the poses found in them, if any were.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from nvs_jax.disk import atomic_folder
from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError
from nvs_jax.evaluation.scores import Frames
from nvs_jax.media import write_picture
from nvs_jax.media.cameras import write_tum

TRUE = "true"
"""The row of pictures that were taken."""
_RECORD = "frames.json"


@dataclass(frozen=True)
class KeptVideo:
    """The frames of a video on disk.

    Attributes:
        folder: of them.
    """

    folder: Path

    @property
    def asked(self) -> Path:
        """The poses that were asked for."""
        return self.folder / "asked.txt"

    @property
    def found(self) -> Path:
        """Those that were found in the frames."""
        return self.folder / "found.txt"

    @property
    def pictures(self) -> list[Path]:
        """The frames, in order."""
        return sorted(self.folder.glob("*.png"))

    def holds(self, key: str) -> bool:
        """Whether the frames of this result are there."""
        return (self.folder / _RECORD).is_file() and self._record()["key"] == key

    def focal(self) -> float:
        """Mean focal length over the width, as asked for."""
        return float(self._record()["focal"])

    def write(
        self, key: str, frames: Frames, poses: Float[np.ndarray, "k 4 4"], intrinsics: Float[np.ndarray, "k 3 3"]
    ) -> None:
        """Keep the frames of a result, in place of another's.

        Args:
            key: of the result.
            frames: in [0, 1].
            poses: of each, world-to-camera, as asked for; of pictures that were given there may be more or fewer.
            intrinsics: K of each.

        Raises:
            InputError: something else is in their place.
        """
        if self.folder.exists() and not (self.folder / _RECORD).is_file():
            raise InputError(f"{self.folder} is not of this command: move it away, frames are to be kept there")
        with atomic_folder(self.folder) as partial:
            for index, frame in enumerate(frames):
                write_picture(partial / f"{index:03}.png", frame)
            write_tum(partial / self.asked.name, poses)
            focal = float(np.mean(intrinsics[:, 0, 0])) / frames.shape[2]
            (partial / _RECORD).write_text(json.dumps({"key": key, "focal": focal}), encoding="utf-8")

    def _record(self) -> dict[str, Any]:
        record = read_json(self.folder / _RECORD)
        if not isinstance(record.get("key"), str) or not isinstance(record.get("focal"), float):
            raise InputError(f"{self.folder / _RECORD} is damaged: remove the folder, its frames are then made again")
        return record


def kept_video(frames: Path, row: str, scene: str, video: int) -> KeptVideo:
    """Where the frames of a video lie: ROW/SCENE/VIDEO, with dashes for blanks and strokes.

    >>> kept_video(Path("frames"), "model alone", "tnt/train", 0).folder.as_posix()
    'frames/model-alone/tnt-train/0'
    """
    return KeptVideo(frames / plain(row) / plain(scene) / str(video))


def plain(name: str) -> str:
    """A name as a file's.

    >>> plain("truth through the VAE")
    'truth-through-the-VAE'
    """
    return name.replace("/", "-").replace(" ", "-")


def check_names(scenes: Iterable[str]) -> None:
    """Refuse scenes whose frames and pictures would lie in one place.

    Raises:
        InputError: there are two.
    """
    seen: dict[str, str] = {}
    for scene in scenes:
        other = seen.setdefault(plain(scene), scene)
        if other != scene:
            raise InputError(f"what is made of scenes {other!r} and {scene!r} is called {plain(scene)}: rename one")


def all_pictures(videos: Sequence[KeptVideo]) -> list[Path]:
    """The frames of several videos."""
    return [picture for video in videos for picture in video.pictures]
