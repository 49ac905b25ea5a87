import re
from pathlib import Path

from nvs_jax.settings import registry
from scripts.documentation import END, begin
from scripts.solver_orders import Arguments, main

PAGE = Path(__file__).parents[2] / "docs" / "guidance.md"
WRITER = "scripts/solver_orders.py"


def test_the_page_has_the_table_that_the_script_writes(tmp_path):
    """To the digit, with every solver of the package and no other."""
    (tmp_path / "guidance.md").write_text(f"{begin(WRITER)}\n{END}\n")
    main(Arguments(tmp_path))
    written = (tmp_path / "guidance.md").read_text().strip()
    assert written in PAGE.read_text()
    assert re.findall(r"^\| `(\w+)`: ", written, re.MULTILINE) == list(registry.solvers())
