"""What the pipeline asks of a video model, met by structure: nothing has to be inherited.

A family of models is a folder beside this file and a row in `nvs_jax.models.families`; nothing else names it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Array, Float

from nvs_jax.diffusion.contracts import Codec, Denoiser
from nvs_jax.diffusion.estimates import WarpedViews
from nvs_jax.errors import InputError
from nvs_jax.geometry import Warp
from nvs_jax.models.networks import Networks
from nvs_jax.settings import RenderSettings


@dataclass(frozen=True)
class Lattice:
    """Sizes of videos that a model takes, and of their latents.

    Attributes:
        cell: pixels along each side of a latent cell.
        cells: rows and columns of latent cells must be divisible by this.
        frame_step: frames to a latent frame after the first, which has its own: 1, or the stride of a causal codec.
        channels: of a latent.
        frames: how many the model was trained on.
    """

    cell: int
    cells: int
    frame_step: int
    channels: int
    frames: int

    @property
    def pixels(self) -> int:
        """Rows and columns of pixels must be divisible by this."""
        return self.cell * self.cells

    def latent_shape(self, frames: int, height: int, width: int) -> tuple[int, int, int, int]:
        """[f, h, w, c] of a video of this many frames, rows and columns.

        >>> Lattice(cell=8, cells=8, frame_step=4, channels=16, frames=81).latent_shape(81, 480, 832)
        (21, 60, 104, 16)
        """
        return 1 + (frames - 1) // self.frame_step, height // self.cell, width // self.cell, self.channels

    def longest(self, most: int) -> int:
        """Frames of the longest video that the model can make, of at most so many.

        >>> Lattice(cell=8, cells=8, frame_step=4, channels=16, frames=81).longest(14)
        13
        """
        return most - (most - 1) % self.frame_step

    def check(self, frames: int, height: int, width: int) -> None:
        """Refuse a video that the model cannot make.

        Raises:
            InputError: its rows, columns or frames are not what the model takes; the message says which are.

        >>> Lattice(cell=8, cells=8, frame_step=4, channels=16, frames=81).check(7, 64, 64)
        Traceback (most recent call last):
        ...
        nvs_jax.errors.InputError: a video of 7 frames: this model takes 1 more than a multiple of 4, such as 5 or 9
        """
        self.check_size(height, width)
        self.check_frames(frames)

    def check_frames(self, frames: int) -> None:
        """The same of a video of any size.

        Raises:
            InputError: it has not as many frames as the model takes.
        """
        below = self.longest(frames)
        if below != frames:
            near = " or ".join(str(n) for n in (below, below + self.frame_step) if n > 1)
            rule = f"1 more than a multiple of {self.frame_step}"
            raise InputError(f"a video of {frames} frames: this model takes {rule}, such as {near}")

    def check_size(self, height: int, width: int) -> None:
        """The same of a picture.

        Raises:
            InputError: its rows or columns are not what the model takes.
        """
        if height % self.pixels or width % self.pixels:
            raise InputError(
                f"pictures of {height}x{width}: for this model rows and columns must be multiples of {self.pixels}"
            )


class PictureEncoder(NamedTuple):
    """A network that sums up a picture, as far as it can be checked by itself.

    Attributes:
        embed: a picture in [0, 1] to a vector.
        is_clip: whether similar pictures must have similar vectors.
    """

    embed: Callable[[Float[Array, "H W 3"]], Float[Array, "d"]]
    is_clip: bool


@runtime_checkable
class VideoModel(Protocol):
    """A video model together with the settings that it has been told.

    It is asked in the order in which its members stand here, and for a codec again in the end, so that a model which
    keeps one network on the device at a time reads each when its turn comes.
    """

    @property
    def lattice(self) -> Lattice:
        """What it takes."""
        ...

    @property
    def family(self) -> str:
        """The name of its row in `nvs_jax.models.families`, and of the settings that its models alone take."""
        ...

    @property
    def sigma_scale(self) -> float:
        """What noise levels are divided by in lambda, eq. (18): a constant of the model, whatever the schedule."""
        ...

    @property
    def latent_scale(self) -> float | None:
        """What its codec divides latents by, where no setting says otherwise; None if they have no such scale."""
        ...

    @property
    def encodings(self) -> int:
        """How many videos of full length are encoded for a render, by `look` and `encode_views` together."""
        ...

    @property
    def defaults(self) -> RenderSettings:
        """Settings that suit it, where weights bring none."""
        ...

    @property
    def networks(self) -> Networks:
        """Its configurations and weights."""
        ...

    def told(self, settings: RenderSettings) -> "VideoModel":
        """The same model with other settings; it takes those it knows.

        Raises:
            InputError: it cannot do what one of them asks for.
        """
        ...

    def look(self, picture: Float[Array, "H W 3"], noise: Float[Array, "b H W 3"], warp: Warp) -> Any:
        """All that the network is told of a video, as a pytree of its own.

        Args:
            picture: that it begins with, in [0, 1].
            noise: N(0, 1), for models that are told of a noisy picture: of each of b videos. What is made of it is
                of as many, or of one where it is not used.
            warp: of every other frame, for models that are told of it.
        """
        ...

    def encode_views(self, seen: Any, picture: Float[Array, "H W 3"], warp: Warp) -> WarpedViews:
        """X^ of the whole video, or of b, and holes, in the denoiser's units; the first frame is given.

        Args:
            seen: what `look` made of it.
            picture: in [0, 1].
            warp: of every other frame.
        """
        ...

    def codec(self) -> Codec:
        """Pictures to latents and back."""
        ...

    def denoiser(self, seen: Any, frames: int) -> Denoiser:
        """The network, told what `look` made of a video."""
        ...

    @property
    def picture_encoder(self) -> PictureEncoder | None:
        """For checks; None if it has none."""
        ...
