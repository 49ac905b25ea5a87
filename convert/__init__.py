"""Published weights into this project's form: one key table per source, every key accounted for."""

from typing import TYPE_CHECKING

from nvs_jax import hand_on

if TYPE_CHECKING:
    from convert.loading import convert, load_networks, open_published, open_source

__all__ = ["convert", "load_networks", "open_published", "open_source"]

__getattr__ = hand_on(__name__, {"loading": tuple(__all__)})
