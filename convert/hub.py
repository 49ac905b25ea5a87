"""A model on the Hugging Face Hub: the files that are needed, fetched into its cache, once.

Only configurations and safetensors of the diffusers layout are asked for. The token is the hub's own business
(`hf auth login`, or HF_TOKEN).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from convert.published_folders import layout_of
from convert.tensor_files import Variant
from nvs_jax.errors import InputError


def is_hub_id(source: str) -> bool:
    """Whether `source` looks like OWNER/NAME, and OWNER is no file here.

    >>> is_hub_id("stabilityai/stable-video-diffusion-img2vid-xt"), is_hub_id("./weights"), is_hub_id("a/b/c")
    (True, False, False)
    """
    looks_like_one = re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", source) is not None
    return looks_like_one and not Path(source.split("/")[0]).is_file()


def fetch(repository: str, variant: Variant = "full") -> Path:
    """The folder of a video model on the hub, downloaded as far as it is not there yet.

    Args:
        repository: OWNER/NAME.
        variant: "fp16" for the weights in half precision where the model has them, half the download; the other
            variant is taken where this one is missing.

    Raises:
        InputError: it cannot be had; the message says what to do.
    """
    return fetch_files(repository, lambda files: _needed(repository, files, variant))


def fetch_files(repository: str, needed: Callable[[list[str]], list[str]]) -> Path:
    """The folder of any model on the hub, downloaded as far as it is not there yet.

    Args:
        repository: OWNER/NAME.
        needed: which of the files that the model has.

    Raises:
        InputError: it cannot be had; the message says what to do.
    """
    import huggingface_hub

    with _steps_to_take(repository):
        try:
            files = huggingface_hub.list_repo_files(repository)
        except (ConnectionError, _http_error()) as error:
            if _answered(error):
                raise
            # No network: what an earlier download left will do, if it is all there.
            return Path(huggingface_hub.snapshot_download(repository, local_files_only=True))
        return Path(huggingface_hub.snapshot_download(repository, allow_patterns=needed(files)))


def _needed(repository: str, files: Iterable[str], variant: Variant) -> list[str]:
    """The configurations, and one variant of each network's weights.

    Raises:
        InputError: the repository is not in diffusers' layout, or holds no safetensors.
    """
    there = set(files)
    if "model_index.json" not in there:
        raise InputError(
            f"{repository} is not in the diffusers layout (it has no model_index.json): "
            "download its .safetensors checkpoint and give that file"
        )
    layout = layout_of(there)
    further = {name: stem for name, stem in layout.FURTHER_STEMS.items() if f"{name}/config.json" in there}
    stems = {**layout.STEMS, **further}
    others = ("model_index.json", *layout.OTHER_FILES, *(f"{component}/config.json" for component in stems))
    needed = [name for name in others if name in there]
    for component, stem in stems.items():
        variants = [_weights(there, f"{component}/{stem}", infix) for infix in ("", ".fp16")]
        found = [names for names in (variants if variant == "full" else variants[::-1]) if names]
        if not found:
            raise InputError(f"{repository} holds no {component}/{stem}.safetensors; other formats are never read")
        needed += found[0]
    return needed


def _weights(files: set[str], stem: str, infix: str) -> list[str]:
    """The files of one variant: a single one, or shards with their index; none if it is not there."""
    single, index = f"{stem}{infix}.safetensors", f"{stem}.safetensors.index{infix}.json"
    if single in files:
        return [single]
    shard = re.compile(re.escape(stem) + r"(?:\.fp16)?-\d+-of-\d+" + r"(?:\.fp16)?\.safetensors")
    shards = [name for name in files if shard.fullmatch(name) and (".fp16" in name) == bool(infix)]
    return [index, *sorted(shards)] if index in files else []


def _http_error() -> type[Exception]:
    """The root of all that goes wrong with HTTP, of whichever library the hub's own is built on."""
    from huggingface_hub import errors

    return errors.HTTPError  # pyright: ignore[reportPrivateImportUsage]


def _answered(error: Exception) -> bool:
    """Whether the hub said no, rather than nothing."""
    return getattr(error, "response", None) is not None


@contextmanager
def _steps_to_take(repository: str) -> Iterator[None]:
    """Around calls of the hub: what they raise becomes one line with the steps to take."""
    from huggingface_hub import errors

    page = f"https://huggingface.co/{repository}"
    log_in = "run `hf auth login` or set HF_TOKEN"
    elsewhere = "or download it elsewhere and give the folder"
    try:
        yield
    except InputError:
        raise
    except errors.GatedRepoError:
        raise InputError(f"{repository} is gated: accept its licence at {page}, then {log_in}, {elsewhere}") from None
    except errors.LocalTokenNotFoundError:
        raise InputError(f"{repository} needs a token: {log_in}, {elsewhere}") from None
    except errors.RepositoryNotFoundError:
        raise InputError(
            f"{repository} is neither a folder here nor a model that {page} shows you: check the name; "
            f"if it is private or gated, {log_in}"
        ) from None
    except errors.HFValidationError:
        raise InputError(f"{repository} is neither a folder here nor a name the Hugging Face Hub can have") from None
    except errors.HfHubHTTPError as error:
        status = getattr(error.response, "status_code", "an error")
        step = log_in if status in (401, 403) else "try again later"
        raise InputError(f"{repository}: the Hugging Face Hub answers {status}: {step}, {elsewhere}") from None
    except (errors.LocalEntryNotFoundError, ConnectionError, _http_error()):
        raise InputError(
            f"{repository} is no folder here, and the Hugging Face Hub is out of reach: "
            f"connect this machine, {elsewhere}"
        ) from None
