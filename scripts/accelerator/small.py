"""Published models as small as they can be, of the same kinds of networks: to try whether a benchmark works."""

from dataclasses import replace
from typing import Any

from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.wan.config import TransformerConfig, VAEConfig
from nvs_jax.models.wan.prompts import PromptsConfig
from nvs_jax.planning.programs import Model
from tests.models.wan.tiny import IMAGE_ENCODER, configs_of


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
            kind = "vace" if config.vace_layers else "text" if config.image_dim is None else "image"
            channels = ("in_channels", "out_channels", "vace_in_channels")
            return replace(configs_of(kind)["transformer"], **{name: getattr(config, name) for name in channels})
        case VAEConfig():
            return replace(config, base_dim=4, num_res_blocks=1, decoder_base_dim=config.decoder_base_dim and 4)
        case PromptsConfig():
            return replace(config, tokens=4, width=6)
        case ImageEncoderConfig():
            return IMAGE_ENCODER
        case _:
            raise TypeError(f"{type(config).__name__}: this benchmark knows no small one")
