"""Results on disk: one line a scene and variant, so that a run which was broken off goes on where it was.

A line is written in one go and its end is a line feed, so that a killed run leaves at most one torn line, the last. It
is cut off when the file is opened again, if the first line says that the file is ours. Lines of other weights or
another protocol stay and are not used.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.evaluation.variants import Variant
from nvs_jax.models.networks import Networks
from nvs_jax.settings.evaluation import PROTOCOL, BenchmarkSettings

MOST_BYTES = 2**30
"""Of a file of results that is read."""
_OURS = {"made_by": "nvs-jax"}
"""How each of our lines begins."""


@dataclass(frozen=True)
class Experiment:
    """What results must share to stand in one table."""

    weights: str
    settings: BenchmarkSettings

    def key(self, seed: int, variant: Variant) -> str:
        """Names a result; equal where the frames are."""
        parts = [PROTOCOL, self.weights, self.settings.known, seed, variant.described()]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]


class Records:
    """A file of results, and what is in it by key. A key that comes twice means its later line.

    Args:
        path: of the file.
        follow: called after each new line, which it may take along.
    """

    def __init__(self, path: Path, follow: Callable[[], None] = lambda: None):
        self.path = path
        self.follow = follow
        self.lines: dict[str, dict[str, Any]] = {}
        if path.exists():
            _cut_torn_line(path)
            for line in _read_lines(path):
                self.lines[line["key"]] = line

    def append(self, key: str, **entries: Any) -> None:
        """Keep a result: on disk when this returns.

        Raises:
            OSError: it could not be written; the file is as it was.
        """
        line = {"key": key, **entries}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab", buffering=0) as file:
            before = os.fstat(file.fileno()).st_size
            data = (json.dumps({**_OURS, **line}) + "\n").encode()
            try:
                while data:  # a disk that is nearly full takes a part, and says why when it is given the rest
                    data = data[file.write(data) :]
                os.fsync(file.fileno())
            except OSError as error:
                os.ftruncate(file.fileno(), before)
                raise OSError(error.errno, error.strerror, str(self.path)) from None
        self.lines[key] = line
        self.follow()


def weights_digest(networks: Networks) -> str:
    """A short name for a model: of its configurations and every value of its weights."""
    digest = hashlib.sha256()
    for component, config in networks.configs.items():
        digest.update(json.dumps(asdict(config), sort_keys=True).encode())
        for name, array in sorted(networks.weights(component).items()):
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _cut_torn_line(path: Path) -> None:
    data = _bytes(path)
    whole = data.rfind(b"\n") + 1
    if whole == len(data):
        return
    ours = json.dumps(_OURS)[:-1].encode()
    if not data.startswith(ours):
        raise InputError(f"{path} ends within a line, and was not begun by this version: remove that line, or the file")
    os.truncate(path, whole)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(_bytes(path).splitlines(), 1):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if not isinstance(line, dict) or not isinstance(line.get("key"), str):
            raise InputError(f"{path} is damaged at line {number}: remove that line, its result is then measured again")
        yield {name: value for name, value in line.items() if name not in _OURS}


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MOST_BYTES:
        raise InputError(f"{path} is larger than {MOST_BYTES // 2**30} GiB: it is no file of results")
    return path.read_bytes()
