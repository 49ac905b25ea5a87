"""The hub, without it: its functions are replaced, and raise the errors they really raise."""

from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import errors

import convert
from convert.hub import _http_error, fetch
from nvs_jax.cli import main
from nvs_jax.errors import InputError
from nvs_jax.models.svd.build import build
from nvs_jax.models.weights import parameter_specs
from tests.convert.published import CONFIGS, STEMS, published_tensors, write_folder

ID = "stabilityai/stable-video-diffusion-img2vid-xt"
HTTP = _http_error()
CONFIG_FILES = [
    "model_index.json",
    "scheduler/scheduler_config.json",
    *(f"{component}/config.json" for component in CONFIGS),
]
WEIGHTS = [f"{component}/{stem}.safetensors" for component, stem in STEMS.items()]
HALVES = [name.replace(".safetensors", ".fp16.safetensors") for name in WEIGHTS]
OTHERS = ["README.md", "svd_xt.safetensors", "unet/diffusion_pytorch_model.bin", "feature_extractor/config.json"]


class Hub:
    """A hub with one model: what it lists, what was asked of it, and what it raises."""

    def __init__(self, files: list[str], folder: Path | None = None):
        self.files, self.folder = files, folder
        self.asked: list[str] = []
        self.error: Exception | None = None
        self.offline: Exception | None = None

    def list_repo_files(self, repository: str) -> list[str]:
        assert repository == ID
        if self.error:
            raise self.error
        return self.files

    def snapshot_download(
        self, repository: str, allow_patterns: list[str] | None = None, local_files_only: bool = False
    ) -> str:
        assert repository == ID
        if local_files_only and self.offline:
            raise self.offline
        self.asked = allow_patterns or ["what is here"]
        return str(self.folder or "snapshot")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    hub = Hub(CONFIG_FILES + WEIGHTS + HALVES + OTHERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(huggingface_hub, "list_repo_files", hub.list_repo_files)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    return hub


def answer(kind: type[errors.HfHubHTTPError], status: int) -> errors.HfHubHTTPError:
    """An error of the hub's with the response it came from."""

    class Response:
        status_code, headers, request = status, {}, None

    return kind("several\nlines", response=Response())  # pyright: ignore[reportArgumentType]


def test_only_what_is_needed_is_asked_for(hub: Hub):
    assert fetch(ID) == Path("snapshot")
    assert sorted(hub.asked) == sorted(CONFIG_FILES + WEIGHTS)
    fetch(ID, "fp16")
    assert sorted(hub.asked) == sorted(CONFIG_FILES + HALVES)


@pytest.mark.parametrize("variant", ["full", "fp16"])
@pytest.mark.parametrize("only", [WEIGHTS, HALVES])
def test_the_only_variant_is_taken_whatever_is_asked(hub: Hub, variant, only: list[str]):
    hub.files = CONFIG_FILES + only
    fetch(ID, variant)
    assert sorted(hub.asked) == sorted(CONFIG_FILES + only)


def test_shards_come_with_their_index(hub: Hub):
    full = ["diffusion_pytorch_model-00001-of-00002.safetensors", "diffusion_pytorch_model.safetensors.index.json"]
    half = [
        "diffusion_pytorch_model.fp16-00001-of-00002.safetensors",
        "diffusion_pytorch_model-00002-of-00002.fp16.safetensors",
        "diffusion_pytorch_model.safetensors.index.fp16.json",
    ]
    hub.files = CONFIG_FILES + WEIGHTS[1:] + HALVES[1:] + [f"unet/{name}" for name in full + half]
    fetch(ID)
    assert sorted(hub.asked) == sorted(CONFIG_FILES + WEIGHTS[1:] + [f"unet/{name}" for name in full])
    fetch(ID, "fp16")
    assert sorted(hub.asked) == sorted(CONFIG_FILES + HALVES[1:] + [f"unet/{name}" for name in half])


@pytest.mark.parametrize("further", [[], ["image_encoder/config.json", "image_encoder/model.safetensors"]])
def test_each_family_has_its_own_files(hub: Hub, further: list[str]):
    wan = [
        "model_index.json",
        "scheduler/scheduler_config.json",
        *(f"{component}/config.json" for component in ("transformer", "vae", "text_encoder")),
        *(f"tokenizer/{name}" for name in ("tokenizer.json", "tokenizer_config.json", "spiece.model")),
        *(f"{component}/diffusion_pytorch_model.safetensors" for component in ("transformer", "vae")),
        "text_encoder/model-00001-of-00002.safetensors",
        "text_encoder/model-00002-of-00002.safetensors",
        "text_encoder/model.safetensors.index.json",
        *further,
    ]
    hub.files = [*wan, "README.md", "assets/logo.png", "image_processor/preprocessor_config.json"]
    fetch(ID)
    assert sorted(hub.asked) == sorted(wan)


def test_a_model_in_another_layout_or_format_is_refused(hub: Hub):
    hub.files = ["svd_xt.safetensors"]
    with pytest.raises(InputError, match=r"is not in the diffusers layout .* download its \.safetensors"):
        fetch(ID)
    hub.files = [*CONFIG_FILES, *WEIGHTS[1:], "unet/diffusion_pytorch_model.bin"]
    with pytest.raises(InputError, match=r"holds no unet/diffusion_pytorch_model\.safetensors; other formats"):
        fetch(ID)


PAGE = f"https://huggingface.co/{ID}"
ELSEWHERE = "or download it elsewhere and give the folder"
FAILURES = {
    "gated": (
        answer(errors.GatedRepoError, 403),
        [f"is gated: accept its licence at {PAGE}, then run `hf auth login` or set HF_TOKEN", ELSEWHERE],
    ),
    "no token": (errors.LocalTokenNotFoundError("none"), ["needs a token: run `hf auth login` or set HF_TOKEN"]),
    "unknown": (
        answer(errors.RepositoryNotFoundError, 404),
        [f"neither a folder here nor a model that {PAGE} shows you", "check the name", "`hf auth login`"],
    ),
    "impossible": (errors.HFValidationError("..."), ["nor a name the Hugging Face Hub can have"]),
    "forbidden": (answer(errors.HfHubHTTPError, 401), ["answers 401: run `hf auth login` or set HF_TOKEN", ELSEWHERE]),
    "down": (answer(errors.HfHubHTTPError, 503), ["answers 503: try again later", ELSEWHERE]),
    "offline": (errors.OfflineModeIsEnabled("..."), ["the Hugging Face Hub is out of reach", ELSEWHERE]),
    "no network": (HTTP("no route\nto host"), ["is out of reach: connect this machine", ELSEWHERE]),
    "nothing here": (errors.LocalEntryNotFoundError("..."), ["is out of reach: connect this machine", ELSEWHERE]),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_what_goes_wrong_is_one_line_with_the_steps_to_take(
    hub: Hub, failure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    hub.error, steps = FAILURES[failure]
    hub.offline = errors.LocalEntryNotFoundError("not in the cache\nnor there")
    with pytest.raises(SystemExit) as stop:
        main(["convert", ID, "made"])
    said = capsys.readouterr().err
    assert stop.value.code == 2 and said.startswith(f"nvs-jax: error: {ID}") and said.count("\n") == 1
    assert all(step in said for step in steps), said
    assert list(tmp_path.iterdir()) == []


def test_without_network_an_earlier_download_will_do(hub: Hub):
    for hub.error in (errors.OfflineModeIsEnabled("..."), HTTP("no route")):
        hub.asked = []
        assert fetch(ID) == Path("snapshot")
        assert hub.asked == ["what is here"]


def test_a_download_is_converted_and_loaded_like_a_folder(hub: Hub, tmp_path: Path):
    tensors = {name: published_tensors(parameter_specs(build(config))) for name, config in CONFIGS.items()}
    hub.folder = write_folder(tmp_path / "downloaded", tensors)
    made = convert.convert(ID, "made")
    assert made["source"] == ID and made["peak_memory"] > made["bytes"]
    assert (
        convert.load_networks("made").weights("unet").keys()
        == convert.load_networks(ID).weights("unet").keys()
        == tensors["unet"].keys()
    )


@pytest.mark.parametrize(
    "source", ["absent", "./absent/model", "../a/b", "/nowhere/at/all", "a/b/c", "owner/", "/name"]
)
def test_what_cannot_be_an_id_is_not_looked_up(hub: Hub, source: str):
    hub.error = AssertionError("asked the hub")
    with pytest.raises(InputError, match=r"does not exist: expected a folder .* or a hub id"):
        convert.load_networks(source)
