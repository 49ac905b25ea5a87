"""What the published config.json of a CLIP image encoder says (no JAX here)."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class ImageEncoderConfig:
    """`CLIPVisionModelWithProjection`."""

    hidden_size: int = 1280
    intermediate_size: int = 5120
    num_hidden_layers: int = 32
    num_attention_heads: int = 16
    image_size: int = 224
    patch_size: int = 14
    num_channels: int = 3
    projection_dim: int = 1024
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5
