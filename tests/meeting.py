"""A render without a render: processes that meet, and come together step by step, in a fraction of the time.

python -m tests.meeting FOLDER CASE    CASE: go-on, mistake (of process 1, after a few steps), stuck (from then on)
"""

import sys
import time
from pathlib import Path

STEPS = 5


def main(folder: Path, case: str) -> None:
    from nvs_jax.errors import InputError
    from nvs_jax.runs.presence import Patience
    from nvs_jax.runs.processes import StopTogether, in_company, join_cluster
    from nvs_jax.runs.stopping import stop_on_signals

    cluster = join_cluster()
    index = cluster.share.index
    with stop_on_signals() as stop, in_company(cluster, stop, Patience(beat=0.2, silence=3, grace=1)):
        together = StopTogether(stop)
        for step in range(10_000):
            together.obey(f"after step {step}")
            (folder / str(index)).write_text(str(step))
            if step == STEPS and index == 1 and case == "mistake":
                raise InputError("no such photo")
            if step >= STEPS and case == "stuck":
                time.sleep(600)
            time.sleep(0.05)


if __name__ == "__main__":
    from nvs_jax.runs.endings import exit_code

    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except Exception as error:
        print(error)
        sys.exit(exit_code(error))
