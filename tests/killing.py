"""Starts a command again and again and kills it at random moments: `python -m tests.killing SPEC`.

Each process is a fork of this one, which has imported everything and used nothing of it, so that it starts at once.
They read programs from JAX_COMPILATION_CACHE_DIR and write none, since JAX might leave half a one.
Sampling is slowed down, since nearly all of a tiny model's time would otherwise be that before and after it.
"""

import contextlib
import io
import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import jax

import convert.loading  # noqa: F401
import nvs_jax.commands.compilation_cache
import nvs_jax.commands.render
import nvs_jax.diffusion.problem
import nvs_jax.pipeline
from nvs_jax.cli import main

PAUSE = 0.4


def command(arguments: list[str]) -> int:
    """Start the command; the process's number."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        sample = nvs_jax.diffusion.problem.run_steps

        def run_steps(*given):
            carry = sample(*given)
            time.sleep(PAUSE)
            return carry

        nvs_jax.diffusion.problem.run_steps = run_steps
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 1e9)
        nvs_jax.commands.compilation_cache.enable_compilation_cache = lambda: None
        with contextlib.redirect_stdout(io.StringIO()):
            main(arguments)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def steps_saved(out: Path) -> int:
    return max((int(path.name) for path in out.with_name(f".{out.name}.run").glob("legs/000/[0-9]*")), default=0)


def finish(process: int, seconds: float | None = None) -> bool:
    """Let a process run, for so long; whether it came to its end."""
    until = time.monotonic() + (1e9 if seconds is None else seconds)
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            if os.waitstatus_to_exitcode(status) != 0:
                raise SystemExit(f"the command failed: {status}")
            return True
        if time.monotonic() >= until:
            os.kill(process, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
        time.sleep(0.01)


def kill_and_resume(arguments: list[str], kills: int, seed: int) -> dict[str, object]:
    """So many kills, over as many results as that takes.

    Each second kill comes at any moment of a run's time, the others while it samples.
    """
    rng = random.Random(seed)
    out = Path(arguments[arguments.index("--out") + 1])

    def start(result: int) -> int:
        return command([*arguments, "--out", f"{out}{result}"])

    whole, result, done, saved = 0.0, 1, 0, [[]]
    while done < kills:
        since, process, path = time.monotonic(), start(result), Path(f"{out}{result}")
        if done % 2 == 0:
            wait_for_a_state(process, path)
            whole = max(whole, time.monotonic() - since + 5 * PAUSE)
        if finish(process, rng.uniform(0, 5 * PAUSE if done % 2 == 0 else whole)):
            result += 1
            saved.append([])
            continue
        done += 1
        if not path.exists():  # or complete, and killed while it tidied up
            saved[-1].append(steps_saved(path))
    finish(start(result))
    return {"kills": done, "saved": saved, "results": result + 1}


def wait_for_a_state(process: int, out: Path) -> None:
    """Until the process has saved one more, or has ended."""
    before = steps_saved(out)
    while steps_saved(out) == before and not out.exists():
        time.sleep(0.01)


if __name__ == "__main__":
    print(json.dumps(kill_and_resume(**json.loads(sys.argv[1]))))
