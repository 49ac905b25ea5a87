"""LPIPS's weights from the published files: the distance is the package's."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from nvs_jax.errors import InputError
from nvs_jax.loading import load_lpips
from scripts.lpips_weights import Arguments, main
from tests.published_scores import alexnet, published, vgg16


def write_backbone(file: Path, features: torch.nn.Module) -> Path:
    layers = {f"features.{name}": values for name, values in features.state_dict().items()}
    torch.save(layers | {"classifier.1.weight": torch.zeros(2)}, file)
    return file


def test_the_published_files_become_one_that_is_read(tmp_path: Path) -> None:
    torch.manual_seed(0)
    package = published("lpips")
    theirs = package.LPIPS(net="alex", pnet_rand=True, verbose=False)
    features = torch.nn.Sequential(*(layer for part in theirs.net.children() for layer in part.children()))
    backbone = write_backbone(tmp_path / "alexnet.pth", features)
    channels = Path(package.__file__).parent / "weights" / "v0.1" / "alex.pth"
    out = tmp_path / "lpips.safetensors"
    main(Arguments("alex", backbone, out, channels))
    first, second = np.random.default_rng(0).uniform(size=(2, 1, 32, 32, 3)).astype(np.float32)
    with torch.no_grad():
        pair = (torch.from_numpy(x).permute(0, 3, 1, 2) for x in (first, second))
        wanted = theirs(*pair, normalize=True).item()
    assert float(load_lpips(out)(jnp.asarray(first), jnp.asarray(second))[0]) == pytest.approx(wanted, abs=1e-5)
    other = write_backbone(tmp_path / "vgg16.pth", vgg16().features)
    with pytest.raises(InputError, match=r"has no features\.3\.weight: is it that of AlexNet"):
        main(Arguments("alex", other, out, channels))


def test_files_that_run_code_are_refused(tmp_path: Path) -> None:
    module = tmp_path / "module.pth"
    torch.save(alexnet().features, module)  # a pickled module, not tensors
    with pytest.raises(InputError, match=r"module\.pth holds no tensors alone"):
        main(Arguments("alex", module, tmp_path / "out.safetensors", module))
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04"])
def test_files_of_something_else_are_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file.pth"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"file\.pth holds no tensors alone"):
        main(Arguments("alex", file, tmp_path / "out.safetensors", file))


def test_a_list_is_no_dictionary_of_tensors(tmp_path: Path) -> None:
    file = tmp_path / "file.pth"
    torch.save([torch.zeros(2)], file)
    with pytest.raises(InputError, match="no dictionary of tensors"):
        main(Arguments("alex", file, tmp_path / "out.safetensors", file))
