import pytest

from tests.models.svd.replay import replay


@pytest.mark.parametrize("name", [pytest.param("multi_dgs", marks=pytest.mark.full), "multi_post"])
def test_two_views_equal_the_release_after_every_step(name, parity):
    replay(name, parity / "solver")
