import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models.unets import unet_3d_blocks as published

from nvs_jax.models.svd.unet.blocks import BlockInputs, DownBlock, Level, MidBlock, UpBlock
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last, with_weights_of

TOLERANCE = 1e-5
TEMB = 40


def _normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def _inputs(level: Level, channels: int, tokens: int, size: tuple[int, int, int]):
    """The same inputs for ours and for theirs."""
    x, temb, context = (
        _normal(1, 2, *size, channels),
        _normal(2, 2, TEMB),
        _normal(3, 2, tokens, level.context_channels),
    )
    repeated = {
        "temb": torch.from_numpy(temb).repeat_interleave(size[0], dim=0),
        "image_only_indicator": torch.zeros(2, size[0]),
    }
    if level.depths is not None:
        repeated["encoder_hidden_states"] = torch.from_numpy(context).repeat_interleave(size[0], dim=0)
    conditions = BlockInputs(jnp.asarray(temb), jnp.asarray(context))
    return x, conditions, channels_first(x).flatten(0, 1), repeated


def _error(ours, theirs: torch.Tensor) -> float:
    return relative_error(ours, channels_last(theirs.unflatten(0, (2, -1))))


def _transformer_settings(level: Level) -> dict:
    if level.depths is None:
        return {}
    return {
        "transformer_layers_per_block": level.depths,
        "num_attention_heads": level.heads,
        "cross_attention_dim": level.context_channels,
    }


LEVELS = {  # level, channels of the neighbour, residual blocks on the way down, context tokens, size, whether resampled
    "plain": (Level(64, TEMB, None, 2, 8), 32, 2, 1, (3, 4, 6), True),
    "plain, last": (Level(32, TEMB, None, 2, 8), 32, 1, 1, (2, 3, 5), False),
    "plain, narrowing": (Level(32, TEMB, None, 1, 8), 96, 3, 1, (1, 2, 4), True),
    "attention": (Level(64, TEMB, (1, 1, 1), 2, 24), 32, 2, 1, (3, 4, 6), True),
    "attention, last": (Level(32, TEMB, (2, 1), 4, 64), 32, 1, 3, (2, 3, 5), False),
    "attention, narrowing": (Level(32, TEMB, (1, 2), 1, 16), 64, 1, 2, (1, 4, 2), True),
}


@pytest.mark.parametrize(("level", "above", "layers", "tokens", "size", "downsample"), LEVELS.values(), ids=LEVELS)
def test_down_block_agrees_with_diffusers(level, above, layers, tokens, size, downsample):
    kind = "DownBlockSpatioTemporal" if level.depths is None else "CrossAttnDownBlockSpatioTemporal"
    theirs = getattr(published, kind)(
        above, level.channels, TEMB, num_layers=layers, add_downsample=downsample, **_transformer_settings(level)
    )
    apply = with_weights_of(theirs, DownBlock(above, level, layers, downsample=downsample))
    x, conditions, their_x, their_conditions = _inputs(level, above, tokens, size)
    expected_last, expected = theirs(their_x, **their_conditions)
    outputs = apply(x, conditions)
    assert len(outputs) == len(expected) == layers + downsample
    for ours, of_theirs in zip(outputs, expected, strict=True):
        assert _error(ours, of_theirs) <= TOLERANCE
    assert _error(outputs[-1], expected_last) <= TOLERANCE


@pytest.mark.parametrize(("level", "below", "layers", "tokens", "size", "upsample"), LEVELS.values(), ids=LEVELS)
def test_up_block_agrees_with_diffusers(level, below, layers, tokens, size, upsample):
    kind = "UpBlockSpatioTemporal" if level.depths is None else "CrossAttnUpBlockSpatioTemporal"
    above = 96  # channels of the last skip, which comes from the level above
    theirs = getattr(published, kind)(
        in_channels=above,
        out_channels=level.channels,
        prev_output_channel=below,
        temb_channels=TEMB,
        num_layers=layers + 1,
        add_upsample=upsample,
        **_transformer_settings(level),
    )
    widths = [*[level.channels] * layers, above]
    apply = with_weights_of(theirs, UpBlock(below, level, widths, upsample=upsample))
    x, conditions, their_x, their_conditions = _inputs(level, below, tokens, size)
    skips = [_normal(10 + i, 2, *size, width) for i, width in enumerate(widths)]
    their_skips = tuple(channels_first(skip).flatten(0, 1) for skip in reversed(skips))
    expected = theirs(their_x, res_hidden_states_tuple=their_skips, **their_conditions)
    assert _error(apply(x, list(map(jnp.asarray, skips)), conditions), expected) <= TOLERANCE


@pytest.mark.parametrize(
    ("level", "tokens", "size"),
    [
        (Level(32, TEMB, (1,), 2, 24), 1, (3, 4, 6)),
        (Level(64, TEMB, (2, 1), 4, 16), 3, (2, 3, 5)),
        (Level(96, TEMB, (1, 1, 1), 3, 8), 2, (1, 2, 4)),
    ],
)
def test_mid_block_agrees_with_diffusers(level, tokens, size):
    theirs = published.UNetMidBlockSpatioTemporal(level.channels, TEMB, **_transformer_settings(level))
    apply = with_weights_of(theirs, MidBlock(level))
    x, conditions, their_x, their_conditions = _inputs(level, level.channels, tokens, size)
    assert _error(apply(x, conditions), theirs(their_x, **their_conditions)) <= TOLERANCE
