import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.errors import InputError
from nvs_jax.media import allowed_size, fit, fit_depth, placement_of
from nvs_jax.media.fitting import How, Kind

Size = tuple[int, int]
SIDES = st.integers(8, 90)
HOWS: tuple[How, ...] = ("resize", "crop", "pad")
KINDS: tuple[Kind, ...] = ("depth", "disparity")


def ramp(height: int, width: int) -> np.ndarray:
    """A picture whose red and green say where each pixel's centre lies, as a share of the picture."""
    y, x = np.mgrid[:height, :width] + 0.5
    return np.stack([x / width, y / height, np.zeros_like(x)], -1).astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(source=st.tuples(SIDES, SIDES), target=st.tuples(SIDES, SIDES), how=st.sampled_from(HOWS))
def test_a_point_lands_where_the_affine_says(source: Size, target: Size, how: How) -> None:
    picture, plan = fit(ramp(*source), *target, how)
    assert picture.shape == (*target, 3)
    seen = picture[..., :2] * [source[1], source[0]]  # where each output pixel was taken from, in source pixels
    lands = plan.points(seen.astype(np.float64))
    y, x = np.mgrid[: target[0], : target[1]] + 0.5
    # Away from the source's edges a filter reproduces a ramp; a nearest pixel is off by half a source pixel at most.
    scale = np.array([plan.scale_x, plan.scale_y])
    reach = 0.5 if how == "resize" else 3.5 * max(1.0, 1 / scale.min())
    inside = np.all((seen > reach) & (seen < np.array([source[1], source[0]]) - reach), axis=-1)
    allowed = (0.5 if how == "resize" else 0.05) * scale + 1e-3
    assert (np.abs(lands - np.stack([x, y], -1))[inside] <= allowed).all()


@settings(max_examples=150, deadline=None)
@given(source=st.tuples(SIDES, SIDES), target=st.tuples(SIDES, SIDES), how=st.sampled_from(HOWS))
def test_depth_follows_the_picture(source: Size, target: Size, how: How) -> None:
    _, plan = fit(ramp(*source), *target, how)
    columns = fit_depth(ramp(*source)[..., 0] * source[1], plan, "depth")  # x of the source pixel that was taken
    lands = plan.points(np.stack([columns, columns], -1).astype(np.float64))[..., 0]
    x = np.broadcast_to(np.arange(target[1]) + 0.5, target)
    inside = (columns > 1) & (columns < source[1] - 1)
    nearest = 0.5 * plan.scale_x + (0.5 if how == "resize" else 0)  # the release's rule reads at a pixel's left edge
    assert (np.abs(lands - x)[inside] <= nearest + 1e-3).all()


@pytest.mark.parametrize(("old", "new"), [(1200, 576), (128, 576), (7, 3), (3, 7), (5, 5)])
def test_resized_pictures_are_areas_and_resized_depth_is_points(old: int, new: int) -> None:
    """In whole numbers, so that no rounding decides."""
    ramp, rows = np.arange(old, dtype=np.float32) + 1, np.arange(new)
    plan = placement_of((old, 1), new, 1, "resize")
    np.testing.assert_array_equal(fit_depth(ramp[:, None], plan, "depth")[:, 0], ramp[rows * old // new])
    picture = np.repeat(ramp[:, None, None], 3, axis=2) / 2048
    np.testing.assert_array_equal(
        fit(picture, new, 1, "resize")[0][:, 0], picture[(2 * rows + 1) * old // (2 * new), 0]
    )


def test_resize_takes_the_releases_pixels() -> None:
    picture = np.arange(7 * 10 * 3, dtype=np.float32).reshape(7, 10, 3)
    resized, plan = fit(picture, 4, 15, "resize")
    source, taken = picture[..., 0], fit_depth(picture[..., 0], plan, "depth")
    for i in range(4):
        for j in range(15):
            np.testing.assert_array_equal(resized[i, j], picture[int((i + 0.5) * 7 / 4), int((j + 0.5) * 10 / 15)])
            assert taken[i, j] == source[i * 7 // 4, j * 10 // 15]


@pytest.mark.parametrize("how", HOWS)
def test_the_right_size_is_left_alone(how: How) -> None:
    picture = np.random.default_rng(0).random((32, 48, 3), np.float32)
    fitted, plan = fit(picture, 32, 48, how)
    np.testing.assert_allclose(fitted, picture, atol=1e-6)
    np.testing.assert_array_equal(fit_depth(picture[..., 0], plan, "depth"), picture[..., 0])
    np.testing.assert_array_equal(plan.intrinsics(np.diag([30.0, 30.0, 1.0])), np.diag([30.0, 30.0, 1.0]))


def test_crop_shows_the_middle_and_pad_everything() -> None:
    picture = np.zeros((40, 100, 3), np.float32)
    picture[:, :20], picture[:, 80:] = 1, 1
    cropped, _ = fit(picture, 20, 20, "crop")
    assert not cropped.any()
    padded, plan = fit(picture, 80, 100, "pad")
    np.testing.assert_array_equal(padded[20:60], picture)
    np.testing.assert_array_equal(padded[:20], np.broadcast_to(picture[:1], (20, 100, 3)))
    assert (plan.offset_x, plan.offset_y) == (0, 20)


def test_enlarging_stays_in_range() -> None:
    edges = np.kron(np.indices((4, 4)).sum(0)[..., None] % 2, np.ones((4, 4, 3))).astype(np.float32)
    enlarged, _ = fit(edges, 90, 90, "crop")
    assert enlarged.min() == 0
    assert enlarged.max() == 1
    assert enlarged.dtype == np.float32


@pytest.mark.parametrize("how", HOWS)
def test_intrinsics_project_to_where_points_lie(how: How) -> None:
    plan = placement_of((480, 640), 320, 512, how)
    K = np.array([[500, 0, 320], [0, 510, 240], [0, 0, 1.0]])
    points = np.random.default_rng(0).normal((0, 0, 5), size=(20, 3))
    before, after = (points @ k.T for k in (K, plan.intrinsics(K)))
    np.testing.assert_allclose(after[:, :2] / after[:, 2:], plan.points(before[:, :2] / before[:, 2:]))


def test_allowed_size() -> None:
    assert allowed_size(576, 1024) == (576, 1024)
    assert allowed_size(639, 127) == (576, 64)
    assert allowed_size(50, 33, stride=16) == (48, 32)
    with pytest.raises(InputError, match="too small; each side must be at least 64"):
        allowed_size(63, 1000)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["crop", "pad"])
def test_a_plane_of_few_pixels_stays_a_plane(how: How, kind: Kind) -> None:
    y, x = np.mgrid[:30, :40] + 0.5
    inverse = (0.2 + 0.001 * x + 0.002 * y).astype(np.float32)
    enlarged = fit_depth(inverse if kind == "disparity" else 1 / inverse, placement_of((30, 40), 120, 160, how), kind)
    y, x = (np.mgrid[:120, :160] + 0.5) / 4
    inner = (slice(2, -2), slice(2, -2))  # beyond the outermost pixels' centres nothing is known
    wanted = (0.2 + 0.001 * x + 0.002 * y)[inner]
    np.testing.assert_allclose(enlarged[inner], wanted if kind == "disparity" else 1 / wanted, rtol=1e-5)


@pytest.mark.parametrize("unknown", [0.0, np.inf, np.nan])
def test_depths_are_not_mixed_across_an_edge(unknown: float) -> None:
    depth = np.full((10, 10), 8.0, np.float32)
    depth[:, 4:] = 2.0
    depth[3, 3] = unknown
    enlarged = fit_depth(depth, placement_of((10, 10), 70, 70, "crop"), "depth")
    assert set(np.unique(enlarged[np.isfinite(enlarged) & (enlarged > 0)])) == {2.0, 8.0}
    lost = np.isnan(enlarged) if np.isnan(unknown) else enlarged == unknown
    assert lost.sum() == 49
    assert lost[21:28, 21:28].all()


@pytest.mark.parametrize("how", ["crop", "pad"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_unknown_pixels_take_no_known_ones_with_them(share: float, how: How) -> None:
    y, x = np.mgrid[:300, :400]
    depth = (1 / (0.2 + 0.001 * x + 0.002 * y)).astype(np.float32)
    lost = np.random.default_rng(0).random(depth.shape) < share
    for height, width in ((448, 640), (192, 256)):
        plan = placement_of(depth.shape, height, width, how)
        fitted = fit_depth(np.where(lost, 0, depth).astype(np.float32), plan, "depth")
        known = fitted > 0
        assert abs(known.mean() - (1 - share)) < 0.01
        off = np.abs(1 / fitted[known] - 1 / fit_depth(depth, plan, "depth")[known])
        assert off.max() < 0.003  # of at least 0.2: a pixel on the same plane


@pytest.mark.parametrize("how", ["crop", "pad"])
def test_zeros_of_a_disparity_are_the_far_plane(how: How) -> None:
    """Not unknown: a ground that rises to the horizon ends there, and a sky of zeros stays exactly that."""
    ground = np.maximum(np.arange(240, dtype=np.float32) - 80, 0)[:, None].repeat(16, 1)
    fitted = fit_depth(ground, placement_of((240, 16), 960, 64, how), "disparity")
    rows = (np.arange(960) + 0.5) / 4 - 0.5
    wanted = np.interp(rows, np.arange(240), ground[:, 0])  # flat beyond the outermost pixels' centres
    np.testing.assert_allclose(fitted[:, 30], wanted, atol=1e-4)
    sky = np.where(np.arange(60)[:, None] < 30, 0, np.full((60, 80), 5, np.float32)).astype(np.float32)
    assert set(np.unique(fit_depth(sky, placement_of((60, 80), 128, 128, how), "disparity"))) == {0.0, 5.0}


def test_a_fit_of_another_resolution_lays_the_map_where_the_picture_lies() -> None:
    plan = placement_of((480, 640), 320, 384, "crop")
    y, x = np.mgrid[:60, :80] + 0.5
    small = (1 + x / 80 + y / 60).astype(np.float32)
    y, x = np.mgrid[:480, :640] + 0.5
    large = (1 + x / 640 + y / 480).astype(np.float32)
    fitted = fit_depth(small, plan.of_resolution((480, 640), (60, 80)), "disparity")
    np.testing.assert_allclose(fitted[4:-4, 4:-4], fit_depth(large, plan, "disparity")[4:-4, 4:-4], atol=1e-5)
