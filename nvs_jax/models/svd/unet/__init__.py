"""The UNet, which denoises latents through space and time."""
