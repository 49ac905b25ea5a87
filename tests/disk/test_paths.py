import sys
from pathlib import Path
from typing import Any

import pytest

from nvs_jax.cli import main
from nvs_jax.commands.compilation_cache import enable_compilation_cache
from nvs_jax.disk.paths import check_paths
from nvs_jax.errors import InputError
from nvs_jax.settings import PathSettings, RenderSettings
from nvs_jax.settings.jobs import ConvertJob, DepthJob, SingleJob


def single(**options: Any) -> SingleJob:
    given: dict[str, Any] = {"photo": Path("a.png"), "out": Path("out")}
    return SingleJob(**(given | options))


ADDRESSES = [
    (
        single(out=Path("az://b/c")),
        r"--out az://b/c is an address, and only .* gs:// and s3:// are used: give a folder, and copy it there",
    ),
    (single(photo=Path("https://b/a.png")), r"--photo https://b/a\.png is an address.*download it"),
    (single(weights="hf://OWNER/NAME"), r"--weights hf://OWNER/NAME is an address"),
    (single(depth=Path("file:///maps/a.npy")), r"--depth file:///maps/a\.npy is .*: give /maps/a\.npy"),
    (
        single(settings=RenderSettings(path=PathSettings("file", file=Path("https://a.b/c")))),
        r"--path\.file https://a\.b",
    ),
    (ConvertJob("OWNER/NAME", Path("az://b/c")), r"--destination az://b/c is an address"),
    (DepthJob(Path("az://b/c.mp4")), r"--source az://b"),
    (single(profile=Path("s3://b/trace")), r"--profile s3://b/trace is an address: give a place on this machine"),
    (single(out=Path("s3://")), r"--out s3:// names no bucket: write s3://BUCKET/NAME"),
    (single(photo=Path("s3://b/../a.png")), r"--photo s3://b/\.\./a\.png: an address cannot go up"),
    (single(out=Path("s3://b") / ("a" * 221)), r"a name can have 220 bytes"),
]


@pytest.mark.parametrize(("job", "message"), ADDRESSES, ids=lambda value: str(value)[:20])
def test_an_address_is_no_path(job, message):
    with pytest.raises(InputError, match=message):
        check_paths(job)


def test_places_for_no_result(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    for out, message in (
        (Path("/"), "the root of all files"),
        (tmp_path / "loop", "a loop of links"),
        (tmp_path / "loop" / "out", "a loop of links"),
        (tmp_path / ("a" * 221), "a name can have 220 bytes"),
    ):
        with pytest.raises(InputError, match=message):
            check_paths(single(out=out))


def test_paths_with_colons_and_links_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip:").mkdir()
    (tmp_path / "clip:" / "a.png").write_bytes(b"")
    (tmp_path / "link").symlink_to("there")
    check_paths(single(photo=Path("clip:/a.png"), out=tmp_path / "link", weights="C:/svd"))
    check_paths(single(photo=Path("12:30.png"), out=Path("a:b")))


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("az://b/c", "--out az://b/c is an address"),
        ("gs://b/c", "--out gs://b/c needs a driver that is not installed: pip install 'nvs-jax[gcs]', or give"),
    ],
)
def test_nothing_is_made_of_an_address(out, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "gcsfs", None)  # as where it is not installed
    with pytest.raises(SystemExit) as stop:
        main(["warp", "a.png", "--out", out])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith(f"nvs-jax: error: {message}")
    assert not list(tmp_path.iterdir())


def test_a_cache_of_programs_without_its_driver(monkeypatch):
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "gs://bucket/programs")
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(InputError, match="JAX_COMPILATION_CACHE_DIR gs://bucket/programs needs a driver"):
        enable_compilation_cache()


@pytest.mark.parametrize("folder", ["s3://bucket/programs", "programs"])
def test_the_cache_of_programs_may_have_an_address(folder, monkeypatch):
    said = {}
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", folder)
    monkeypatch.setattr("jax.config.update", lambda name, value: said.update({name: value}))
    assert enable_compilation_cache() == said["jax_compilation_cache_dir"] == folder
