"""On a mesh of eight forced devices and on one: `python -m tests.models.wan.on_mesh OUT`, by `tests.sharded`."""

import json
import sys
from pathlib import Path
from typing import get_args

MESHES = ((2, 4, 1), (1, 8, 1), (2, 2, 2))


def main(out: Path) -> None:
    """The largest difference of latents over the largest latent, for every kind of model and mesh."""
    import jax
    import numpy as np

    from nvs_jax.runs.processes import join_cluster

    join_cluster()  # before anything is computed
    from nvs_jax.diffusion.problem import solve
    from nvs_jax.pipeline import Pipeline
    from nvs_jax.sharding import make_mesh
    from tests.models.wan.test_model import conditions, settings
    from tests.models.wan.tiny import Kind, tiny_wan

    found = {}
    for kind in get_args(Kind):
        alone, *others = (
            np.asarray(solve(Pipeline(tiny_wan(kind), mesh).prepare(conditions(), 0, settings())))
            for mesh in (None, *(make_mesh(*shape) for shape in MESHES))
        )
        for shape, latents in zip(MESHES, others, strict=True):
            found[f"{kind} {shape}"] = float(np.abs(latents - alone).max() / np.abs(alone).max())
    out.write_text(json.dumps(found))
    jax.distributed.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
