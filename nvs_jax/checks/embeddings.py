"""What a sound image encoder does: two crops of one picture are more alike to it than crops of unrelated pictures."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from jaxtyping import Array, Float

from nvs_jax.checks.finite import check_finite
from nvs_jax.checks.outcome import Outcome

Picture = Float[Array, "H W 3"]
Crop = Float[Array, "h w 3"]
MARGIN = 0.05
"""By how much the cosine of crops of one picture exceeds that of crops of different ones, on average."""
MOST_ALIKE = 0.95
"""Largest mean cosine between unrelated pictures: an encoder that looks at nothing has 1."""
_KEPT = 0.75  # of rows and columns, in a crop


def check_embeddings(
    embed: Callable[[Crop], Float[Array, "d"]], pictures: Sequence[Picture], name: str = "image encoder"
) -> Iterator[Outcome]:
    """Similarity of crops.

    Args:
        embed: the embedding of a picture in [0, 1].
        pictures: unrelated ones of one size, at least two.
        name: of the encoder in the report.
    """
    embeddings = np.stack([np.asarray(embed(crop)) for picture in pictures for crop in two_crops(picture)])
    yield check_finite(f"{name}: embeddings", embeddings)
    unit = embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)
    cosines = (unit @ unit.T).reshape(len(pictures), 2, len(pictures), 2)
    same = float(cosines[:, 0, :, 1].diagonal().mean())
    unrelated = float(cosines.mean((1, 3))[~np.eye(len(pictures), dtype=bool)].mean())
    yield Outcome(f"{name}: cosine between unrelated pictures, mean", unrelated, -1, MOST_ALIKE)
    yield Outcome(f"{name}: crops of one picture closer than unrelated ones, by", same - unrelated, MARGIN, 2)


def two_crops(picture: Picture) -> tuple[Crop, Crop]:
    """The upper left and the lower right three quarters (along each side) of a picture."""
    height, width = (max(1, round(_KEPT * size)) for size in picture.shape[:2])
    return picture[:height, :width], picture[-height:, -width:]
