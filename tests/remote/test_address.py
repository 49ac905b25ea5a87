from pathlib import Path

import pytest

from nvs_jax.remote import address_of, joined, spelt


@pytest.mark.parametrize("text", ["gs://bucket/a/b.png", "s3://bucket"])
def test_paths_carry_addresses(text):
    assert str(address_of(text)) == str(address_of(Path(text))) == spelt(str(Path(text))) == text


@pytest.mark.parametrize("text", ["a.png", "/gs:/bucket/a", "C:/svd", "az://bucket/a", "12:30.png", "gs:bucket", ""])
def test_other_paths_are_none(text):
    assert address_of(text) is None
    assert spelt(text) == text


def test_names_count_from_the_folder_of_the_file_that_has_them():
    for base in (Path("s3://bucket/jobs"), Path("jobs")):
        assert joined(base, "a/b.png") == base / "a/b.png"
        assert str(address_of(joined(base, "gs://other/b.png"))) == "gs://other/b.png"
        assert joined(base, "/data/b.png") == Path("/data/b.png")
    assert (address_of("s3://bucket") or Path()) / "a" == address_of("s3://bucket//a/")


def test_a_text_is_put_right_where_paths_stand_in_it():
    text = "gs:/b/c and 's3:/b/x y', gs://b/d, bigs:/b, ratio gs: /b"
    assert spelt(text) == "gs://b/c and 's3://b/x y', gs://b/d, bigs:/b, ratio gs: /b"
