"""Stacks of a checkpoint on eight forced devices and on one: `python -m tests.models.wan.divided FOLDER`, by
`tests.sharded`."""

import sys
from dataclasses import replace
from pathlib import Path


def main(folder: Path) -> None:
    """Nothing, if all weights are where they were sent and as they were written; in both formats."""
    import jax
    import numpy as np

    from nvs_jax.runs.processes import join_cluster

    join_cluster()  # before anything is computed
    from jax.sharding import NamedSharding
    from jax.sharding import PartitionSpec as P

    from nvs_jax import checkpoint
    from nvs_jax.models.stacked import is_of_stack
    from nvs_jax.models.wan.family import FAMILY
    from nvs_jax.models.weights import random_weights
    from nvs_jax.sharding import make_mesh
    from tests.models.wan.tiny import CONFIGS

    wide = replace(CONFIGS["transformer"], attention_head_dim=16, ffn_dim=32, num_layers=8)
    configs = CONFIGS | {"transformer": wide}
    weights = {name: random_weights(FAMILY.build(config), 0) for name, config in configs.items()}
    mesh = make_mesh(2, 4, 1)
    divisions = P(), P(None, mesh.axis_names), P(None, None, "frames"), P("branches", "frames"), P(mesh.axis_names)
    for version, cut in ((4, checkpoint.cut), (3, lambda arrays, specs: arrays)):
        checkpoint.FORMAT_VERSION, checkpoint.cut = version, cut
        path = folder / str(version)
        checkpoint.write_checkpoint(path, FAMILY, configs, lambda component: weights[component].items())
        for division in divisions:

            def sharding(name: str, shape: tuple[int, ...], division: P = division) -> NamedSharding:
                fits = is_of_stack(name) and len(shape) > 2 and shape[1] % 8 == shape[2] % 4 == 0
                return NamedSharding(mesh, division if fits else P())

            read = checkpoint.open_checkpoint(path).load("transformer", sharding=sharding)
            assert read.keys() == weights["transformer"].keys()
            for name, array in weights["transformer"].items():
                assert read[name].sharding == sharding(f"transformer/{name}", array.shape), name
                np.testing.assert_array_equal(read[name], array)
    jax.distributed.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
