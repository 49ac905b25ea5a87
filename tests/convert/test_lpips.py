"""LPIPS's file: what is not one is told."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from nvs_jax.errors import InputError
from nvs_jax.loading import load_lpips


def test_files_that_are_no_lpips_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is no file: LPIPS needs .* scripts/lpips_weights\.py makes one"):
        load_lpips(tmp_path / "missing.safetensors")
    (tmp_path / "vgg.pth").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match="pickles are never read"):
        load_lpips(tmp_path / "vgg.pth")
    for shape in ((64, 3, 5, 5), (64, 3)):
        save_file({"net.slice1.0.weight": np.zeros(shape, np.float32)}, tmp_path / "other.safetensors")
        with pytest.raises(InputError, match="holds neither LPIPS with VGG16 nor with AlexNet"):
            load_lpips(tmp_path / "other.safetensors")
    save_file({"net.slice1.0.weight": np.zeros((64, 3, 3, 3), np.float32)}, tmp_path / "part.safetensors")
    with pytest.raises(InputError, match="missing"):
        load_lpips(tmp_path / "part.safetensors")
