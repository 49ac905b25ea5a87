import pytest

from nvs_jax.errors import InputError
from nvs_jax.planning.programs import build_program
from nvs_jax.planning.published import published_model, usual_request
from nvs_jax.planning.table import read_table
from scripts.compile_cases import Case, variant
from scripts.compile_tpu import Options, counted, main


def test_a_page_that_is_not_there_is_said_before_anything_is_compiled(tmp_path):
    with pytest.raises(InputError, match=r"page\.md is not there"):
        main(Options(out=tmp_path / "table.json", page=tmp_path / "page.md"))
    assert not list(tmp_path.iterdir())


@pytest.mark.full
@pytest.mark.parametrize("case", ["embed", "dgs", "post-skip", "encode", "decode"])
def test_the_shipped_table_has_what_is_counted_now(case: Case):
    model = published_model("svd_xt")
    program, request = variant(case, usual_request(model))
    work = build_program(program, model, request).work()
    key = program, request.settings(program), "svd_xt", 1
    shipped = [one for one in read_table() if (one.program, one.settings, one.model, one.chips) == key and one.products]
    assert {one.chip for one in shipped} >= {"v5e", "v6e"}
    assert [counted(one, work) for one in shipped] == shipped
