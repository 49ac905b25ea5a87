"""A run that survives being killed: what it has computed lies in a hidden folder beside its result.

    .NAME.run/
        run.json        what decides the result; a run is only continued where all of it is equal
        legs/000/000010 the sampler's state in the first leg after ten steps (see `states`)
        result/         what becomes NAME when it is complete

The folder itself, its lock and what becomes of it are `nvs_jax.disk`'s. A state appears whole, and the two newest are
kept: whatever moment a run is killed at, the newest whole state is found. Of a result in an object store the folder is
there, too, and another machine goes on. States hold the sampler's latents alone. What
comes before (warps, encodings) and after (frames) is computed again, which takes little, and takes no space.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nvs_jax.diffusion.sampler import Carry
from nvs_jax.disk import RESULT, check_free, publish, read_manifest, recover, resolved, work_on
from nvs_jax.disk.files import read_bounded
from nvs_jax.disk.manifest import write_json
from nvs_jax.errors import InputError
from nvs_jax.runs.identity import Identity, difference, short
from nvs_jax.runs.states import read_state, write_state
from nvs_jax.runs.stopping import Stopped, StopRequest
from nvs_jax.saying import say

_MANIFEST, _RESULT, _LEGS = "run.json", "result", "legs"
_KEPT = 2
_MOST_BYTES = 2**24
"""Of a manifest that is read."""


def _stay() -> None:
    """On a disk states are where the run goes on."""


@dataclass(frozen=True)
class Leg:
    """The saved states of one leg: what `nvs_jax.diffusion.problem.solve` saves to and begins from.

    Attributes:
        folder: of the states.
        stop: asked after each of them.
        name: of the leg, for messages.
        follow: has them where the result will be, after they have changed here.
    """

    folder: Path
    stop: StopRequest
    name: str
    follow: Callable[[], None] = _stay

    def restore(self, fresh: Carry) -> Carry:
        """The newest whole state, or `fresh`, the one before the first step, whose shapes it must have."""
        for state in reversed(_states(self.folder)):
            restored = read_state(state, fresh)
            if restored is not None:
                return restored
            say(f"the state after step {int(state.name)} of {self.name} is damaged, or of another format, and left out")
            _remove(state)
        return fresh

    def save(self, carry: Carry) -> None:
        """Keep a state: it is there when this returns.

        Raises:
            OSError: it could not be written; earlier ones are still there.
            Stopped: it was written, and somebody asked to stop.
        """
        step = int(carry.step)
        state = self.folder / f"{step:06}"
        write_state(state, carry)
        for former in _states(self.folder)[:-_KEPT]:
            _remove(former)
        try:
            self.follow()
        except OSError:
            _remove(state)  # it is not where the run will go on
            raise
        self.stop.obey(f"after step {step} of {self.name}, which is kept")


@dataclass(frozen=True)
class Run:
    """A run that this process works on.

    Attributes:
        folder: the hidden one.
        stop: see `nvs_jax.runs.stopping`.
        identity: what decides the result.
        follow: see `Leg`.
    """

    folder: Path
    stop: StopRequest
    identity: Identity
    follow: Callable[[], None] = _stay

    @property
    def result(self) -> Path:
        """Becomes the result when the run is complete."""
        return self.folder / _RESULT

    @property
    def scene(self) -> Path:
        """Kept with the states: a scene that is found first, such as the poses of photos."""
        return self.folder / _LEGS / "scene"

    def leg(self, index: int, count: int) -> Leg:
        """States of a leg of so many, counted from 0."""
        return Leg(self.folder / _LEGS / f"{index:03}", self.stop, f"leg {index + 1} of {count}", self.follow)


@contextmanager
def open_run(
    out: Path, known: Identity, *, resume: bool, overwrite: bool, stop: StopRequest, inputs: Iterable[Path] = ()
) -> Iterator[Run]:
    """Work on the result `out`, alone, from where an earlier process was; it appears when the block ends.

    If the block raises, what has been computed is kept, and said in one line. If that is nothing, nothing remains.

    Args:
        out: the folder to make.
        known: what decides the result.
        resume: go on with what an interrupted run left.
        overwrite: replace an earlier result, and without `resume` drop what an interrupted run left.
        stop: asked after every state.
        inputs: what is read to make it.

    Raises:
        InputError: another process works on `out`, or it holds something, or what is left of an earlier run is not
            wanted or not this run's.
    """
    out = resolved(out, RESULT, inputs)
    with work_on(out, RESULT) as work:
        folder = work.folder
        try:
            check_free(out, RESULT, overwrite=overwrite)
            _begin(folder, out, known, resume=resume, overwrite=overwrite)
            work.follow()
            run = Run(folder, stop, known, work.follow)
            run.result.mkdir()
            yield run
            publish(work)
        except BaseException as error:
            progress = _progress(folder)
            if progress is None:
                shutil.rmtree(folder / _LEGS, ignore_errors=True)
            elif not isinstance(error, InputError | Stopped):
                say(f"{out}: {progress} are kept: --resume goes on from there")
            raise


def is_complete(out: Path, known: Identity) -> bool:
    """Whether `out` is a result that the same job gave, with every file it had.

    Raises:
        InputError: it is, but for a file that is gone or has another size.
    """
    manifest = read_manifest(out, RESULT.record)
    if manifest is None or manifest.entries.get("identity") != short(known):
        return False
    lacking = manifest.lacks(out)
    if lacking is not None:
        raise InputError(
            f"{out} is complete but for {lacking}, which is gone or was changed since: put it back, move the folder "
            "away, or make it again with --overwrite and without --resume"
        )
    return True


def tidy(out: Path) -> None:
    """Finish or take back what a process that was killed left half done while its result took its place.

    Raises:
        InputError: another process works on `out`.
    """
    recover(resolved(out, RESULT), RESULT)


def _begin(folder: Path, out: Path, known: Identity, *, resume: bool, overwrite: bool) -> None:
    """Leave in `folder` what this run can go on from, and its manifest."""
    progress = _progress(folder)
    if progress is not None and resume:
        changed = difference(_read_manifest(folder / _MANIFEST, out), known)
        if changed is not None:
            raise InputError(
                f"the interrupted run of {out} had {changed}: ask for the same again, or begin anew with --overwrite "
                "and without --resume"
            )
        say(f"{out}: {progress} are there, going on")
        return
    if progress is not None and not overwrite:
        raise InputError(
            f"{out} was interrupted, {progress} are there: --resume goes on, --overwrite begins anew, another --out "
            "leaves it alone"
        )
    shutil.rmtree(folder / _LEGS, ignore_errors=True)
    write_json(folder / _MANIFEST, known)


def _progress(folder: Path) -> str | None:
    """What is in a work folder, in words; None where it is nothing."""
    legs = sorted((folder / _LEGS).glob("[0-9]*"))
    states = [(leg, _states(leg)[-1]) for leg in legs if _states(leg)]
    if not states:
        return None
    leg, state = states[-1]
    return f"{int(state.name)} steps of leg {int(leg.name) + 1}"


def _states(leg: Path) -> list[Path]:
    """Whole states, the oldest first."""
    return sorted(path for path in leg.glob("[0-9]*") if path.name.isdecimal())


def _remove(state: Path) -> None:
    """A state, or the folder that one was in earlier versions."""
    if state.is_dir():
        shutil.rmtree(state)
    else:
        state.unlink()


def _read_manifest(path: Path, out: Path) -> Identity:
    try:
        manifest = json.loads(read_bounded(path, _MOST_BYTES))
    except (InputError, OSError, ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise InputError(f"{path} is damaged, so {out} cannot go on: begin anew with --overwrite and without --resume")
    return manifest
