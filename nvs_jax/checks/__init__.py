"""Are these weights sound? Invariants that only sound, rightly mapped weights satisfy, each with its expected range."""

from nvs_jax.checks.codec import check_codec
from nvs_jax.checks.denoiser import check_denoiser
from nvs_jax.checks.embeddings import check_embeddings
from nvs_jax.checks.outcome import Outcome, verdict

__all__ = ["Outcome", "check_codec", "check_denoiser", "check_embeddings", "verdict"]
