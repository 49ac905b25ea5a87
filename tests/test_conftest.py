from pathlib import Path

from tests.conftest import _needs_pytorch

TESTS = Path(__file__).parent


def test_files_that_compare_with_pytorch_are_told_from_others(tmp_path):
    """They are left out where PyTorch is not installed: no others must be."""
    assert _needs_pytorch(TESTS / "models" / "test_layers.py")
    assert _needs_pytorch(TESTS / "models" / "svd" / "torch_parity.py")
    assert not _needs_pytorch(TESTS / "commands" / "test_depth.py")
    through = tmp_path / "test_through.py"
    for line in ("from tests.models.depth import published", "from tests.models.svd.torch_parity import randomise"):
        through.write_text(line + "\n")
        assert _needs_pytorch(through)
    through.write_text("from tests.models.comparing import relative_error\n")
    assert not _needs_pytorch(through)
