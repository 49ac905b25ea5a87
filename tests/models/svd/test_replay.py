import pytest

from tests.models.svd.replay import DATA, replay, replay_in_one_scan


@pytest.mark.parametrize(
    "name",
    ["single_dgs", *(pytest.param(name, marks=pytest.mark.full) for name in ("single_post", "single_post_tiled"))],
)
def test_one_view_equals_the_release_after_every_step(name):
    replay(name, DATA / "solver")


@pytest.mark.full
def test_the_scan_equals_the_release():
    replay_in_one_scan("single_dgs", DATA / "solver")
