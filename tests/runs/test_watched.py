from dataclasses import dataclass, field

import jax.numpy as jnp
import numpy as np

from nvs_jax.diffusion import Carry, Euler, init
from nvs_jax.media import read_photo
from nvs_jax.runs.latent_colours import Colours
from nvs_jax.runs.watched import WatchedLegs, shown_latents, writer
from tests.models.toy_video import ToyVideo

GREY = Colours(np.vstack([np.eye(3), np.full((1, 3), 0.5)]).astype(np.float32), 1.0)


@dataclass
class Kept:
    carries: list[Carry] = field(default_factory=list)

    def leg(self, index, count):
        return self

    def restore(self, fresh):
        return self.carries[-1] if self.carries else fresh

    def save(self, carry):
        self.carries.append(carry)


def test_every_state_is_shown_and_kept():
    kept, seen = Kept(), []
    states = WatchedLegs(kept, seen.append).leg(0, 1)
    carry = init(jnp.zeros((1, 2, 3, 3, 3)), Euler())
    assert states.restore(carry) is carry
    states.save(carry)
    assert seen == [carry] == kept.carries
    assert states.restore(carry) is carry


def test_a_preview_has_frames_from_the_first_to_the_last():
    latents = np.linspace(-0.3, 0.3, 7, dtype=np.float32)[:, None, None, None] * np.ones((1, 2, 3, 3), np.float32)
    shown = shown_latents(GREY, latents)
    assert shown.shape == (2, 12, 3)
    np.testing.assert_allclose(shown[0, ::3, 0], [0.2, 0.4, 0.6, 0.8], atol=1e-6)


def test_the_picture_is_written_again_each_time(tmp_path):
    path = tmp_path / "latents.png"
    show = writer(path, ToyVideo())
    for bright in (0.3, 0.7):
        show(init(jnp.full((2, 3, 4, 5, 3), bright), Euler()))
        picture = read_photo(path)
        assert picture.shape == (4, 15, 3)
        np.testing.assert_allclose(picture, bright, atol=0.01)
