"""The small model that the package carries, in diffusers' layout: `small/`, with a model card. No JAX here."""

from pathlib import Path

EMBEDDED_NAME = "demo"
"""What `--weights` and `nvs_jax.load` know it by."""
EMBEDDED_MODEL = Path(__file__).parent / "small"
"""Its folder."""
