"""Convert an SVD of full size with random weights, and say how long that takes and how much memory.

    python scripts/benchmark_conversion.py [--layout single_file] [--dtype float16] [--folder FOLDER]

It needs free disk space for the weights twice (9 GB in float16), which is given back, and memory for the largest
network. The conversion runs in a process of its own, as `nvs-jax convert`; its last line is the figure.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

ROOT = Path(__file__).parents[1]
STEMS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "image_encoder": "model"}


def random_tensors(layout: str, prefix: str, dtype: str) -> dict[str, np.ndarray]:
    """Tensors of the committed list whose key starts with `prefix`, which is left out of their names."""
    rng = np.random.default_rng(0)
    tensors = {}
    for line in (ROOT / "tests" / "data" / "keys" / f"{layout}.txt").read_text().splitlines():
        key, shape = line.split()
        if key.startswith(prefix):
            size = () if shape == "-" else tuple(map(int, shape.split("x")))
            tensors[key.removeprefix(prefix)] = np.asarray(rng.standard_normal(size, np.float32), dtype)
    return tensors


def write_folder(folder: Path, dtype: str) -> Path:
    """SVD-XT in diffusers' layout."""
    shutil.copytree(ROOT / "configs" / "models" / "svd_xt", folder)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableVideoDiffusionPipeline"}))
    for component, stem in STEMS.items():
        save_file(random_tensors("diffusers", f"{component}/", dtype), folder / component / f"{stem}.safetensors")
    return folder


def main() -> None:
    """Write random weights, convert them, remove both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--layout", choices=("diffusers", "single_file"), default="diffusers")
    parser.add_argument("--dtype", choices=("float16", "float32"), default="float16", help="of the published weights")
    parser.add_argument("--folder", type=Path, help="where there is room; by default the system's temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        if options.layout == "diffusers":
            source = write_folder(Path(scratch) / "published", options.dtype)
        else:
            source = Path(scratch) / "svd_xt.safetensors"
            save_file(random_tensors("single_file", "", options.dtype), source)
        command = [sys.executable, "-m", "nvs_jax", "convert", str(source), str(Path(scratch) / "checkpoint")]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
