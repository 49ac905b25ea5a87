"""Wan2.1: a flow-matching transformer over the latents of a causal video VAE."""
