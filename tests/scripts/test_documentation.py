import pytest

from nvs_jax.errors import InputError
from scripts.documentation import END, begin, write_results


def test_only_what_is_between_the_writers_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{begin('a')}\nold\n{END}\nmore\n{begin('b')}\n{END}\n")
    write_results(page, "b", "of b")
    write_results(page, "a", "new\n")
    written = page.read_text()
    assert written == f"# Page\n\n{begin('a')}\n\nnew\n\n{END}\nmore\n{begin('b')}\n\nof b\n\n{END}\n"
    write_results(page, "a", "new")
    assert page.read_text() == written


def test_a_page_that_cannot_take_results_is_named_and_left(tmp_path):
    page = tmp_path / "page.md"
    with pytest.raises(InputError, match=r"page\.md is missing"):
        write_results(page, "a", "new")
    page.write_text(f"{begin('a')} without an end")
    with pytest.raises(InputError, match="markers"):
        write_results(page, "a", "new")
    assert page.read_text() == f"{begin('a')} without an end"
