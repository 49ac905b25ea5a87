"""A run that survives being killed: what it has computed lies in a hidden folder beside its result.

    .NAME.run/
        run.json        what decides the result; a run is only continued where all of it is equal
        legs/000/000010 the sampler's state in the first leg after ten steps (Orbax), with a digest of every file
        result/         what becomes NAME when it is complete

The folder itself, its lock and what becomes of it are `nvs_jax.disk`'s. A state is written under another name and
renamed, and the two newest are kept: whatever moment a run is killed at, the newest whole state is found. States hold
the sampler's latents alone. What comes before (warps, encodings) and after (frames) is computed again, which takes
little, and takes no space.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from nvs_jax.diffusion.sampler import Carry
from nvs_jax.disk import RESULT, check_free, publish, read_manifest, recover, resolved, work_on
from nvs_jax.disk.errors import orbax_writes
from nvs_jax.disk.manifest import write_json
from nvs_jax.errors import InputError
from nvs_jax.runs.identity import Identity, difference, short
from nvs_jax.runs.stopping import Stopped, StopRequest
from nvs_jax.saying import say

_MANIFEST, _RESULT, _LEGS, _DIGESTS = "run.json", "result", "legs", "digests.json"
_KEPT = 2
_MOST_BYTES = 2**24
"""Of a manifest or a list of digests that is read."""


@dataclass(frozen=True)
class Leg:
    """The saved states of one leg: what `nvs_jax.pipeline.solve` saves to and begins from.

    Attributes:
        folder: of the states.
        stop: asked after each of them.
        name: of the leg, for messages.
    """

    folder: Path
    stop: StopRequest
    name: str

    def restore(self, fresh: Carry) -> Carry:
        """The newest whole state, or `fresh`, the one before the first step, whose shapes it must have."""
        for state in reversed(_states(self.folder)):
            restored = _read_state(state, fresh)
            if restored is not None:
                return restored
            say(f"the state after step {int(state.name)} of {self.name} is damaged and left out")
            shutil.rmtree(state)
        return fresh

    def save(self, carry: Carry) -> None:
        """Keep a state: it is there when this returns.

        Raises:
            OSError: it could not be written; earlier ones are still there.
            Stopped: it was written, and somebody asked to stop.
        """
        step = int(carry.step)
        _write_state(self.folder / f"{step:06}", carry)
        for state in _states(self.folder)[:-_KEPT]:
            shutil.rmtree(state)
        self.stop.obey(f"after step {step} of {self.name}, which is kept")


@dataclass(frozen=True)
class Run:
    """A run that this process works on.

    Attributes:
        folder: the hidden one.
        stop: see `nvs_jax.runs.stopping`.
        identity: what decides the result.
    """

    folder: Path
    stop: StopRequest
    identity: Identity

    @property
    def result(self) -> Path:
        """Becomes the result when the run is complete."""
        return self.folder / _RESULT

    def leg(self, index: int, count: int) -> Leg:
        """States of a leg of so many, counted from 0."""
        return Leg(self.folder / _LEGS / f"{index:03}", self.stop, f"leg {index + 1} of {count}")


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
            run = Run(folder, stop, known)
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


def _write_state(path: Path, carry: Carry) -> None:
    temporary = path.with_name("saving")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        leaves = _leaves(carry)
        with orbax_writes(path.parent, sum(leaf.nbytes for leaf in leaves.values())):
            with _checkpointer() as checkpointer:
                checkpointer.save((temporary / "carry").resolve(), leaves)
                checkpointer.wait_until_finished()
            write_json(temporary / _DIGESTS, _digests(temporary / "carry"))
            temporary.replace(path)
    except Exception:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _read_state(path: Path, fresh: Carry) -> Carry | None:
    """A state, placed as `fresh` is; None if a byte of it is not as it was written."""
    try:
        if _digests(path / "carry") != json.loads(_bounded(path / _DIGESTS)):
            return None
        wanted = _leaves(fresh)
        with _checkpointer() as checkpointer:
            stored = checkpointer.restore((path / "carry").resolve(), wanted)
    except Exception:  # of damaged files Orbax raises almost anything
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it drops all errors but one, which asyncio prints
        return None
    shape = jax.tree.structure((fresh.x, fresh.memory, fresh.step, jax.random.key_data(fresh.key)))
    x, memory, step, key = jax.tree.unflatten(shape, [jnp.asarray(stored[name]) for name in wanted])
    return Carry(x, memory, step, jax.random.wrap_key_data(key, impl=jax.random.key_impl(fresh.key)))


def _leaves(carry: Carry) -> dict[str, np.ndarray]:
    """The arrays of a state, on the host: a process saves its own, whatever other processes do."""
    leaves = jax.tree.leaves((carry.x, carry.memory, carry.step, jax.random.key_data(carry.key)))
    return {f"{index:03}": np.asarray(leaf) for index, leaf in enumerate(leaves)}


def _checkpointer() -> ocp.StandardCheckpointer:
    """One that waits for no other process: with several, each works on runs of its own."""
    if jax.process_count() == 1:
        return ocp.StandardCheckpointer()
    here = jax.process_index()
    options = ocp.options.MultiprocessingOptions(here, {here}, f"process{here}")
    files = ocp.options.AsyncOptions(create_directories_asynchronously=False)
    return ocp.StandardCheckpointer(async_options=files, multiprocessing_options=options)


def _digests(folder: Path) -> dict[str, str]:
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def _read_manifest(path: Path, out: Path) -> Identity:
    try:
        manifest = json.loads(_bounded(path))
    except (OSError, ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict):
        raise InputError(f"{path} is damaged, so {out} cannot go on: begin anew with --overwrite and without --resume")
    return manifest


def _bounded(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)
