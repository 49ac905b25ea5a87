"""Real pictures, warped by the authors' release."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from nvs_jax.geometry import disparity_to_depth, forward_warp, scale_intrinsics, warp_flow
from nvs_jax.media.fitting import fit, fit_depth, placement_of
from nvs_jax.settings import WarpSettings

SIZE = (576, 1024)
ONE_VIEW = ["single_f00_orbit60_t05", "single_f00_orbit60_t24", "dynamic_f12_orbit15", "line_f00_t12"]
TWO_VIEWS = ["two_view_t06", "two_view_t18"]


# Points 25,000 pixels away need a product and a sum to be rounded once, which `make test` compiles without.
_flow = jax.jit(warp_flow, compiler_options={"xla_backend_optimization_level": 1})


def read_picture(path):
    return np.asarray(Image.open(path).convert("RGB"), np.float32) / 255


def read_pfm(path):
    """Rows are stored from the bottom up."""
    with path.open("rb") as file:
        assert file.readline() == b"Pf\n"
        width, height = map(int, file.readline().split())
        little = float(file.readline()) < 0
        return np.frombuffer(file.read(), "<f4" if little else ">f4").reshape(height, width)[::-1].astype(np.float32)


def read_view(data, frame, far):
    disparity = np.load(data / "video/disparity" / f"frame_{frame:06d}.npy", allow_pickle=False)
    picture = read_picture(data / "video/images" / f"frame_{frame:06d}.png")
    return jnp.asarray(picture), disparity_to_depth(jnp.asarray(disparity, jnp.float32), far)


def read_dtu(data, view):
    picture, depth = read_picture(data / f"two_view/{view:06d}.jpg"), read_pfm(data / f"two_view/{view:06d}.pfm")
    fitted, _ = fit(picture, *SIZE, "resize")
    return jnp.asarray(fitted), jnp.asarray(fit_depth(depth, placement_of(depth.shape, *SIZE, "resize"), "depth"))


@pytest.fixture(scope="module", params=ONE_VIEW + TWO_VIEWS)
def case(request, parity):
    """What the release was given, what it made of it, and what we make of it."""
    folder, data, name = parity / "warp", parity.parent / "data", request.param
    info = json.loads((folder / "warp.json").read_text())[name]
    arrays = dict(np.load(folder / f"{name}.npz", allow_pickle=False))
    view = read_view(data, info["frame"], info["far"]) if "frame" in info else read_dtu(data, info["source"])
    intrinsics, source, target = (jnp.asarray(arrays[key], jnp.float32) for key in ("K", "pose_source", "pose_target"))
    settings = WarpSettings.release(float(info["depth_clip"]), info["max_weight"])
    ours = forward_warp(*view, intrinsics, source, target[None], settings)
    flow = _flow(view[1], intrinsics, source, target[None])
    theirs = {key: np.unpackbits(arrays[key]).reshape(SIZE).astype(bool) for key in ("valid", "hole")}
    theirs |= {key: read_picture(folder / f"{name}_{key}.png") for key in ("warped", "condition")}
    return ours, np.asarray(flow[0]), theirs | {"flow": arrays["flow_sub"]}


def test_flow(case):
    """To 2e-3 of a pixel; the points without depth of two views land 25,000 pixels away, hence the relative part."""
    _, flow, theirs = case
    np.testing.assert_allclose(flow[::16, ::16], theirs["flow"], atol=2e-3, rtol=1e-5)


def test_masks(case):
    ours, _, theirs = case
    assert np.mean(ours.valid[0] != theirs["valid"]) <= 5e-5
    assert np.mean(ours.hole[0] != theirs["hole"]) <= 1e-4


def test_colours(case):
    """Within one step of 8 bits on 99.9 % of the pixels, and exactly the same on 99 %."""
    ours, _, theirs = case
    both = np.asarray(ours.valid[0]) & theirs["valid"]
    difference = np.abs(255 * (np.asarray(ours.pictures[0]) - theirs["warped"])).max(-1)[both]
    assert np.mean(difference > 1.01) <= 2e-4
    assert np.mean(difference > 0.01) <= 1e-2
    difference = np.abs(255 * (np.asarray(ours.condition[0]) - theirs["condition"])).max(-1)
    assert np.mean(difference > 1.01) <= 3e-4


def test_intrinsics_of_dtu(parity):
    lines = (parity.parent / "data/two_view/000001.txt").read_text().split("intrinsic")[1].split("\n")[1:4]
    published = jnp.array([[float(x) for x in line.split()] for line in lines])
    ours = scale_intrinsics(published, 4 * 1024 / 640, 4 * 576 / 512)
    np.testing.assert_allclose(ours, np.load(parity / "warp/two_view_t06.npz", allow_pickle=False)["K"], rtol=1e-6)
