"""Wan's causal video VAE, a latent frame at a time."""
