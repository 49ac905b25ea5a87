"""Weights from wherever they are: a published folder or file, the hub, or one of this project's checkpoints."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
from jaxtyping import Array

from convert.diffusers_layout import with_unet
from convert.hub import fetch, is_hub_id
from convert.memory import PeakMemory
from convert.published_folders import is_published_folder, layout_of, open_folder
from convert.single_file import Model, model_folder, open_single_file
from convert.tensor_files import Variant
from convert.transfer import host
from nvs_jax.checkpoint import check_destination, is_checkpoint, open_checkpoint, write_checkpoint
from nvs_jax.disk import at_hand
from nvs_jax.embedded import EMBEDDED_MODEL, EMBEDDED_NAME
from nvs_jax.errors import InputError
from nvs_jax.models.families import family
from nvs_jax.models.networks import Networks, WeightSharding
from nvs_jax.models.opened import Opened
from nvs_jax.settings.presets import own_presets


def open_source(
    source: str | Path, *, variant: Variant = "full", model: Model | None = None, texts: Sequence[str] = ()
) -> Opened:
    """Find out what `source` is, and open it.

    Args:
        source: a folder in diffusers' layout, an original .safetensors file, a checkpoint written by `convert`,
            OWNER/NAME of a model on the Hugging Face Hub, which is downloaded, or "demo", the model in the package.
        variant: of a folder or a model on the hub; see `convert.hub.fetch`.
        model: of a single file; see `convert.single_file.open_single_file`.
        texts: prompts to be embedded beside the model's own; of a folder or a model on the hub.

    Raises:
        InputError: `source` is none of them, or is damaged; or it has no text encoder for texts.
    """
    path = at_hand(source)
    if str(source) == EMBEDDED_NAME and not path.exists():
        path = EMBEDDED_MODEL
    if texts and (is_checkpoint(path) or path.is_file()):
        raise InputError(f"{source} has no text encoder: --prompts needs the published folder or its hub id")
    if is_checkpoint(path):
        return open_checkpoint(path)
    if is_published_folder(path):
        return open_folder(path, variant, texts)
    if path.is_file():
        return open_single_file(path, model)
    if not path.exists() and path.suffix == ".safetensors":
        raise InputError(f"{source}: no such file")
    if not path.exists() and is_hub_id(str(source)):
        return open_folder(fetch(str(source), variant), variant, texts)
    fault = "holds no weights this project reads" if path.exists() else "does not exist"
    raise InputError(
        f"{source} {fault}: expected a folder in the diffusers layout (with model_index.json), a checkpoint "
        "written by `nvs-jax convert` (with nvs_jax.json), an original svd*.safetensors, or a hub id (OWNER/NAME); "
        "demo is the small model in the package"
    )


def open_published(name: str) -> Opened:
    """The configurations of a published model, as `configs/models` has them; there are no weights to read.

    Raises:
        InputError: there is none of this name.
    """

    def read(component: str, dtype: Any, sharding: WeightSharding | None) -> Iterator[tuple[str, Array]]:
        raise InputError(f"{name} is a name of configurations: give a folder, a file or a hub id of its weights")

    folder = model_folder(name)
    opened = layout_of({path.relative_to(folder).as_posix() for path in folder.glob("*/config.json")}).open_folder(
        folder
    )
    return Opened(opened.family, opened.configs, read)


def load_networks(
    source: str | Path,
    dtype: Any = None,
    sharding: WeightSharding | None = None,
    *,
    variant: Variant = "full",
    model: Model | None = None,
) -> Networks:
    """Load a video model's networks.

    Args:
        source: see `open_source`.
        dtype: asked for; a network that needs float32 keeps it. None keeps the stored one.
        sharding: where each parameter goes; None puts all on the default device.
        variant: see `open_source`.
        model: see `open_source`.

    Raises:
        InputError: see `open_source`.
    """
    return open_source(source, variant=variant, model=model).networks(dtype, sharding)


def convert(
    source: str | Path,
    destination: str | Path,
    dtype: Any = None,
    *,
    overwrite: bool = False,
    variant: Variant = "full",
    model: Model | None = None,
    texts: Sequence[str] = (),
    unet: str | Path | None = None,
) -> dict[str, Any]:
    """Write the weights of `source` as a checkpoint of this project, all or nothing.

    Tensors are read one at a time and written a few at a time: this takes far less memory than the largest network.

    Args:
        source: see `open_source`.
        destination: the folder to make.
        dtype: see `load_networks`.
        overwrite: replace a checkpoint that is already there.
        variant: see `open_source`.
        model: see `open_source`.
        texts: see `open_source`; the checkpoint keeps their embeddings.
        unet: a file whose UNet takes the place of the one in `source`; see `convert.diffusers_layout.with_unet`.

    Returns:
        What the checkpoint's description says: configurations, `bytes` of weights, and `peak_memory` in bytes; and how
        many `frames` the model was trained on.

    Raises:
        InputError: see `open_source`; or there is something at `destination`.
    """
    others = () if unet is None else (Path(unet),)
    check_destination(destination, overwrite=overwrite, inputs=(Path(source), *others))
    with PeakMemory() as peak:
        opened = open_source(source, variant=variant, model=model, texts=texts)
        opened = opened if unet is None else with_unet(opened, at_hand(unet))
        place = _on_the_host()
        made = write_checkpoint(
            destination,
            family(opened.family),
            opened.configs,
            lambda component: opened.read(component, dtype, place),
            source=str(source) if not Path(source).exists() else Path(source).resolve().name,
            overwrite=overwrite,
            record=lambda: {"peak_memory": peak.bytes},
            presets=own_presets(source),
        )
    return made | {"frames": opened.lattice.frames}


def _on_the_host() -> WeightSharding | None:
    device = host()
    return None if device is None else lambda *_: jax.sharding.SingleDeviceSharding(device)
