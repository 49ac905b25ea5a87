"""Convert a Wan of full size with random weights, and say how long that takes and how much memory.

    python -m scripts.benchmark_wan_conversion [--layout original] [--folder FOLDER]

It needs free disk space for the published weights (15 GB of the 1.3B, most of them the text encoder's) and for the
checkpoint, which is given back. The conversion runs in a process of its own, as `nvs-jax convert`; its last line is the
figure.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

from convert.wan_layout import STEMS
from scripts.key_lists import LISTS, Shape
from scripts.wan_key_lists import read_keys
from tests.convert.test_wan_prompts import write_tokenizer

ROOT = Path(__file__).parents[1]
MODEL = "wan2_1_t2v_1_3b"
SHARD = 2_000_000_000
"""Bytes of a file, about."""


def write_folder(folder: Path, layout: str) -> Path:
    """T2V-1.3B in diffusers' layout, every file under diffusers' names or the authors'."""
    shutil.copytree(ROOT / "configs" / "models" / MODEL, folder)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"}))
    listed = read_keys(LISTS / ("wan.txt" if layout == "diffusers" else "wan_original.txt"))
    for component, stem in STEMS.items():
        start = f"{MODEL}/{component}/"
        shapes = {key.removeprefix(start): shape for key, shape in listed.items() if key.startswith(start)}
        write_shards(folder / component, stem, shapes)
    write_tokenizer(folder / "tokenizer")
    return folder


def write_shards(folder: Path, stem: str, shapes: Mapping[str, Shape]) -> None:
    """Random tensors in bfloat16, in files of about `SHARD` bytes and their index."""
    homes = {}
    for number, tensors in enumerate(shards(shapes)):
        name = f"{stem}-{number:05}.safetensors"
        save_file(tensors, folder / name)
        homes |= dict.fromkeys(tensors, name)
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps({"weight_map": homes}))


def shards(shapes: Mapping[str, Shape]) -> Iterator[dict[str, np.ndarray]]:
    """The tensors of each file; their numbers come again after the first million, which keeps this quick."""
    few = (0.02 * np.random.default_rng(0).standard_normal(2**20, np.float32)).astype(ml_dtypes.bfloat16)
    held: dict[str, np.ndarray] = {}
    for key, shape in shapes.items():
        held[key] = np.resize(few, shape)
        if sum(tensor.nbytes for tensor in held.values()) >= SHARD:
            yield held
            held = {}
    yield held


def main() -> None:
    """Write random weights, convert them, remove both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--layout", choices=("diffusers", "original"), default="diffusers", help="names of tensors")
    parser.add_argument("--folder", type=Path, help="where there is room; by default the system's temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        source = write_folder(Path(scratch) / "published", options.layout)
        command = [sys.executable, "-m", "nvs_jax", "convert", str(source), str(Path(scratch) / "checkpoint")]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
