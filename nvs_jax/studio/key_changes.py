"""Changes of a session's key frames: each makes another session of one, and leaves that as it is."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.studio.keys import Pose
from nvs_jax.studio.session import Session


def with_keys(session: Session, keys: Sequence[Pose], follows: bool | None = None) -> Session:
    """Other key frames; none: the path of the settings again."""
    follows = session.follows if follows is None else follows
    return replace(session, keys=tuple(np.asarray(key, np.float64) for key in keys), follows=follows, saved=None)


def with_follows(session: Session, follows: bool) -> Session:
    """Whether what is in the middle of the given view stays in the middle of all frames of a path of key frames."""
    return with_keys(session, session.keys, follows)


def add_key(session: Session, pose: Pose) -> Session:
    """A key frame after all others; before the first one, the given view's pose becomes one."""
    keys = session.keys or (np.asarray(session.track.poses[0], np.float64),)
    return with_keys(session, (*keys, pose))


def move_key(session: Session, number: int, pose: Pose) -> Session:
    """Put a key frame elsewhere.

    Raises:
        InputError: it is the first one, which is the given view's, or there is none of this number.
    """
    _check_key(session, number)
    return with_keys(session, [pose if index == number else key for index, key in enumerate(session.keys)])


def delete_key(session: Session, number: int) -> Session:
    """Leave a key frame out; without any but the given view's, the path is that of the settings again.

    Raises:
        InputError: see `move_key`.
    """
    _check_key(session, number)
    keys = [key for index, key in enumerate(session.keys) if index != number]
    return with_keys(session, keys if len(keys) > 1 else ())


def keys_of_path(session: Session, count: int) -> Session:
    """Key frames evenly along the path as it is, to be moved one by one.

    Raises:
        InputError: fewer than two, or more than the path has frames.
    """
    poses = session.track.poses
    if not 2 <= count <= len(poses):
        raise InputError(f"{count} key frames of {len(poses)} frames: choose 2 at least, and no more than that")
    return with_keys(session, list(poses[np.linspace(0, len(poses) - 1, count).round().astype(int)]), follows=False)


def _check_key(session: Session, number: int) -> None:
    if number == 0 and session.keys:
        raise InputError("the first key frame is the given view's pose and stays: move another one")
    if not 0 < number < len(session.keys):
        raise InputError(f"there is no key frame {number}: there are {len(session.keys)}")
