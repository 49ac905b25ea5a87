"""What a stage runs on: card, versions, flags. JAX and PyTorch are imported on their own side alone."""

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version


def environment(side: str) -> dict[str, str]:
    """Of this process.

    Args:
        side: "jax" or "torch".
    """
    if side not in ("jax", "torch"):
        return {"Python": platform.python_version()}
    card, cudnn, packages = _of_jax() if side == "jax" else _of_torch()
    found = {"card": card, "Python": platform.python_version()}
    found |= {package: known for package in packages if (known := _version(package))}
    found |= {"cuDNN": cudnn} if cudnn else {}
    if side == "jax":
        found["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") or "none"
        found["ptxas"] = shutil.which("ptxas") or "not on the path"
    return found


def _of_jax() -> tuple[str, str, tuple[str, ...]]:
    import jax

    from nvs_jax.models.attention.library import cudnn_version

    device = jax.devices()[0]
    cudnn = ".".join(map(str, cudnn_version())) if device.platform == "gpu" else ""
    card = platform.machine() + " CPU" if device.platform == "cpu" else device.device_kind
    return card, cudnn, ("jax", "jaxlib", "flax", "libtpu")


def _of_torch() -> tuple[str, str, tuple[str, ...]]:
    import torch

    packages = ("torch", "diffusers")
    if not torch.cuda.is_available():
        return platform.machine() + " CPU", "", packages
    return torch.cuda.get_device_name(), str(torch.backends.cudnn.version()), packages


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
