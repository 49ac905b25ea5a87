"""Ends a process at chosen moments of putting a folder in its place, and looks at what is there: `python -m
tests.disk.kills SPEC`, where SPEC holds `signals`, their numbers, and how many `scenes`.

Each process is a fork of this one. A moment is one before or after a call that changes the disk. Without JAX, and
without waiting for the disk, since nobody cuts the power here, a hundred ends take two seconds.
"""

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nvs_jax.disk.publishing
from nvs_jax.disk import CHECKPOINT, PUBLISHED, RESULT, Kind, publish, published_folder, read_manifest, recover, work_on

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "open"}
"""Python's audit events. Of files opened, those opened for writing."""
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A file system in memory, where there is one: quicker."""
INTERRUPTED, INTERRUPTED_AFTER, UNHARMED = 30, 31, 32
"""Exit codes of a process that got SIGINT before or after it had published, and of one that came to its end."""


@dataclass(frozen=True)
class Scene:
    """What is made, over what, and how."""

    kind: Kind
    names: tuple[str, ...]
    former: bool
    exchanged: bool
    states: bool = False

    def make(self, folder: Path, content: str) -> None:
        for name in self.names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content + name)
        (folder / self.kind.record).write_text(json.dumps({"content": content}))


FRAMES = ("video.mp4", "frames/000.png", "frames/001.png", "colmap/sparse/0/cameras.bin")
MAPS = ("maps/a.npy", "maps/b.npy", "png/a.png", "png/b.png", "colours/a.png")
ARRAYS = ("weights/unet/000/d/0a", "weights/unet/000/_METADATA", "weights/vae/000/d/1b")
SCENES = [
    Scene(kind, names, former, exchanged, states)
    for kind, names, states in ((RESULT, FRAMES, True), (RESULT, MAPS, False), (CHECKPOINT, ARRAYS, False))
    for former, exchanged in ((True, True), (True, False), (False, True))
]


def prepare(home: Path, scene: Scene) -> dict[str, object]:
    """A folder with a former result and with what others have there; the listing of the latter."""
    others = ("out.replaced-20230101", "out.partial-1", ".out", ".out.12ab34cd.run", "out-old", "elsewhere", "out.run")
    for name in others:
        (home / name).mkdir()
        (home / name / "precious").write_text(name)
    (home / ".out.link").symlink_to(home / "elsewhere")
    (home / ".out.run.txt").write_text("a note")
    before = listing(home)
    if scene.former:
        with published_folder(home / "out", scene.kind, overwrite=False) as folder:
            scene.make(folder, "former")
    return before


def listing(home: Path) -> dict[str, object]:
    """All but what is made."""
    ours = (home / "out", home / ".out.run")
    paths = [path for path in sorted(home.rglob("*")) if not any(path.is_relative_to(one) for one in ours)]
    return {
        path.relative_to(home).as_posix(): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in paths
    }


def replace(home: Path, scene: Scene, before_publishing: Callable[[], None]) -> None:
    """Make `out` anew, as the commands do: those with states on their own, the others by `published_folder`."""
    if not scene.states:
        with published_folder(home / "out", scene.kind, overwrite=True) as folder:
            scene.make(folder, "new")
            before_publishing()
        return
    with work_on(home / "out", scene.kind) as work:
        (work.folder / "legs" / "000").mkdir(parents=True, exist_ok=True)
        (work.folder / "legs" / "000" / "state").write_text("ten steps")
        (work.folder / "run.json").write_text("{}")
        work.staged.mkdir()
        scene.make(work.staged, "new")
        before_publishing()
        publish(work)


def end_at(moment: int, number: int) -> Callable[[], None]:
    """Gives what begins to count the calls that change the disk, and sends the signal at one of them."""
    counting, seen = [], []

    def tick() -> None:
        seen.append(1)
        if len(seen) == moment:
            os.kill(os.getpid(), number)

    def hook(event: str, arguments: tuple) -> None:
        if counting and event in CHANGES and (event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR)):
            tick()

    inner = nvs_jax.disk.publishing.exchange

    def exchange(one: Path, other: Path) -> bool:
        tick()
        done = inner(one, other)
        tick()
        return done

    nvs_jax.disk.publishing.exchange = exchange
    sys.addaudithook(hook)
    return lambda: counting.append(1)


def end(home: Path, scene: Scene, moment: int, number: int) -> int:
    """Replace `out` in another process that is sent a signal at a moment; its exit code."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what runs in the background
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            PUBLISHED.clear()
            if not scene.exchanged:
                nvs_jax.disk.publishing.exchange = lambda *_: False
            replace(home, scene, end_at(moment, number))
            code = UNHARMED
        except KeyboardInterrupt:
            code = INTERRUPTED_AFTER if PUBLISHED else INTERRUPTED
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def state(folder: Path, scene: Scene) -> str:
    """What a folder is, whole: "former" or "new"; "nothing" where it is not there; or what is wrong with it."""
    if not folder.exists():
        return "nothing"
    manifest = read_manifest(folder, scene.kind.record)
    if manifest is None:
        return f"no manifest in {sorted(folder.rglob('*'))}"
    content = str(manifest.entries["content"])
    fault = manifest.lacks(folder) or manifest.foreign(folder)
    wrong = [name for name in scene.names if fault is None and (folder / name).read_text() != content + name]
    return content if fault is None and not wrong else f"{content}, {fault} {wrong}"


def check(home: Path, scene: Scene, number: int, code: int, before: dict[str, object]) -> str:
    """Look at what a process that was ended has left, and let the next ones recover it; what `out` is in the end."""
    whole = {"former", "new"} if scene.former else {"nothing", "new"}
    there, work = state(home / "out", scene), home / ".out.run"
    if there == "nothing" and scene.former:
        assert number == signal.SIGKILL and not scene.exchanged, there
        assert (state(work / "former", scene), state(work / "result", scene)) == ("former", "new")
    else:
        assert there in whole, there
    if number == signal.SIGINT:
        assert code == (INTERRUPTED_AFTER if there == "new" else INTERRUPTED), (code, there)
    else:
        assert code == -number, code
    assert listing(home) == before
    recover(home / "out", scene.kind)
    after = state(home / "out", scene)
    assert after == there or (there, after) == ("nothing", "former"), (there, after)
    kept = scene.states and after != "new"
    assert work.exists() == kept
    assert not kept or sorted(path.name for path in work.iterdir()) == [
        *(".nvs-jax.json", ".nvs-jax.lock", "legs", "run.json")
    ]
    replace(home, scene, lambda: None)
    assert state(home / "out", scene) == "new"
    assert not work.exists()
    assert listing(home) == before
    return after


def main(signals: list[int], scenes: int) -> dict[str, int]:
    """Every signal at every moment of so many scenes; how many ends that were, and how often what was found then."""
    os.fsync = lambda _: None
    found: dict[str, int] = {"ends": 0, "former": 0, "new": 0, "nothing": 0}
    for scene in SCENES[:scenes]:
        for number in signals:
            for moment in range(1, 1000):
                with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
                    home = Path(folder)
                    before = prepare(home, scene)
                    code = end(home, scene, moment, number)
                    if code == UNHARMED:
                        break
                    where = f"{scene}, signal {number}, moment {moment}"
                    try:
                        found[check(home, scene, number, code, before)] += 1
                    except AssertionError as error:
                        raise AssertionError(f"{where}: {error}") from error
                    found["ends"] += 1
    return found


if __name__ == "__main__":
    print(json.dumps(main(**json.loads(sys.argv[1]))))
