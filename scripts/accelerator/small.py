"""Published models as small as they can be, of the same kinds of networks: to try whether a benchmark works."""

from dataclasses import replace
from typing import Any

from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.wan.config import TransformerConfig, VAEConfig
from nvs_jax.models.wan.prompts import PromptsConfig
from nvs_jax.planning.programs import Model

_WIDTH = 12


def small(model: Model) -> Model:
    """The same with few layers of few channels, told of and telling as much.

    >>> from nvs_jax.planning.published import published_model
    >>> small(published_model("wan2_1_vace_1_3b")).parameters("transformer") < 50_000
    True
    """
    return replace(model, configs=tuple((name, _small(config)) for name, config in model.configs or ()))


def _small(config: Any) -> Any:
    match config:
        case TransformerConfig():
            told = {} if config.image_dim is None else {"image_dim": 8, "added_kv_proj_dim": _WIDTH}
            return replace(
                config,
                num_attention_heads=1,
                attention_head_dim=_WIDTH,
                ffn_dim=16,
                num_layers=2,
                text_dim=6,
                freq_dim=8,
                vace_layers=(0, 1) if config.vace_layers else (),
                **told,
            )
        case VAEConfig():
            return replace(config, base_dim=4, num_res_blocks=1, decoder_base_dim=config.decoder_base_dim and 4)
        case PromptsConfig():
            return replace(config, tokens=4, width=6)
        case ImageEncoderConfig():
            return replace(
                config,
                hidden_size=8,
                intermediate_size=8,
                num_hidden_layers=2,
                num_attention_heads=2,
                image_size=8,
                patch_size=4,
            )
        case _:
            raise TypeError(f"{type(config).__name__}: this benchmark knows no small one")
