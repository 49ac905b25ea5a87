import pytest

from tests.models.svd.replay import replay


@pytest.mark.parametrize("name", ["multi_dgs", pytest.param("multi_post", marks=pytest.mark.full)])
def test_two_views_equal_the_release_after_every_step(name, parity):
    replay(name, parity / "solver")
