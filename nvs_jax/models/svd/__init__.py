"""Stable Video Diffusion: UNet, VAE and image encoder, and the denoiser and codec the solver sees."""
