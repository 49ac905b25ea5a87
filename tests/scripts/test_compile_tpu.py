import pytest

from nvs_jax.errors import InputError
from scripts.compile_tpu import Options, main


def test_a_page_that_is_not_there_is_said_before_anything_is_compiled(tmp_path):
    with pytest.raises(InputError, match=r"page\.md is not there"):
        main(Options(out=tmp_path / "table.json", page=tmp_path / "page.md"))
    assert not list(tmp_path.iterdir())
