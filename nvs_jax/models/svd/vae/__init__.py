"""The VAE: pictures to latents, and frames from latents with layers through time."""
