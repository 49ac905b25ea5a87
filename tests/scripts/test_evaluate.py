import pytest

from nvs_jax.media import read_photo
from nvs_jax.settings.jobs import EvaluateJob
from scripts.documentation import END, begin
from scripts.evaluate import main
from tests.evaluation.benches import SETTINGS
from tests.tiny import write_tiny_folder


@pytest.mark.full
def test_results_and_pictures_reach_the_documentation(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "evaluation.md").write_text(f"# Page\n{begin('scripts/evaluate.py')}\n{END}\n")
    weights = str(write_tiny_folder(tmp_path / "svd"))
    main(EvaluateJob(weights, tmp_path / "out", quick=True, scenes=1, settings=SETTINGS), docs)
    page = (docs / "evaluation.md").read_text()
    assert "### PSNR in holes by angle" in page
    for name in ("evaluation.jpg", "evaluation_angles.png"):
        assert f"(images/{name})" in page
        assert read_photo(docs / "images" / name).size
    assert not (docs / "images" / "evaluation_steps.png").exists()
