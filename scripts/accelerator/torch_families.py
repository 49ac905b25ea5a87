"""Models of other families in PyTorch: diffusers' own, with random weights, as they are and compiled."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

from nvs_jax.models.wan.config import TransformerConfig, VAEConfig
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size
from scripts.accelerator.torch_side import device, randomized, timed, when_compiled

T2V = TransformerConfig(num_attention_heads=12, ffn_dim=8960, num_layers=30)
FRAMES, HEIGHT, WIDTH = 81, 480, 832
TOKENS = 512
"""Of a prompt."""


def wan_t2v(size: Size) -> Iterator[Row]:
    """The transformer of Wan2.1 T2V-1.3B: both branches in one batch, as it is, and its layers compiled."""
    transformer = random_transformer(size)
    latents, told = _shapes(size)
    kind: dict[str, Any] = {"device": device(), "dtype": torch.bfloat16}
    x, text = torch.randn(2, *latents, **kind), torch.randn(2, *told, **kind)
    timestep = torch.full((2,), 500.0, device=device())

    def evaluate() -> Any:
        with torch.no_grad():
            return transformer(x, timestep, text, return_dict=False)[0]

    yield timed("WanTransformer3DModel, bfloat16", evaluate, size.few)
    # What diffusers advises: one layer's program serves all of them.
    transformer.compile_repeated_blocks(backend="eager" if size.name == "toy" else "inductor")
    yield when_compiled("WanTransformer3DModel, bfloat16, its layers compiled", evaluate, size.few)


def wan_vae(size: Size) -> Iterator[Row]:
    """Wan2.1's VAE: as its pipeline calls it, in float32, and in bfloat16."""
    config = VAEConfig(base_dim=4, num_res_blocks=1) if size.name == "toy" else VAEConfig()
    channels, frames, rows, columns = _shapes(size)[0]
    kept = asdict(config)
    with device():
        vae: Any = AutoencoderKLWan(**{name: kept[name] for name in ("base_dim", "num_res_blocks", "z_dim")})
    vae.eval().requires_grad_(False)
    for dtype in (torch.bfloat16, torch.float32):
        vae = cast(vae, dtype)
        kind: dict[str, Any] = {"device": device(), "dtype": dtype}
        latents = torch.randn(1, channels, frames, rows, columns, **kind)
        stride, step = config.stride, config.frame_step
        pictures = torch.rand(1, 3, 1 + step * (frames - 1), stride * rows, stride * columns, **kind)
        name = str(dtype).removeprefix("torch.")
        calls: dict[str, Callable[[], Any]] = {
            "encode": lambda vae=vae, pictures=pictures: vae.encode(pictures).latent_dist.mode(),
            "decode": lambda vae=vae, latents=latents: vae.decode(latents, return_dict=False)[0],
        }
        for what, call in calls.items():
            yield timed(f"AutoencoderKLWan, {what}, {name}", torch.no_grad()(call), size.few)


def random_transformer(size: Size) -> Any:
    """That of T2V-1.3B in bfloat16, made on the device."""
    config = T2V
    if size.name == "toy":
        torch.set_num_threads(1)  # threads that wait for each other take long where others are at work, too
        config = replace(T2V, num_attention_heads=1, attention_head_dim=12, ffn_dim=16, num_layers=2, text_dim=6)
    names = ("num_attention_heads", "attention_head_dim", "ffn_dim", "num_layers", "text_dim")
    with device():
        transformer: Any = WanTransformer3DModel(**{name: asdict(config)[name] for name in names})
    return cast(randomized(transformer), torch.bfloat16, transformer._keep_in_fp32_modules)


def cast(network: Any, dtype: torch.dtype, wide: Sequence[str] = ()) -> Any:
    """The same network in a dtype but for parts of these names, which diffusers keeps in float32; in place."""
    for name, value in network.named_parameters():
        if not set(wide) & set(name.split(".")):
            value.data = value.data.to(dtype)
    return network


def _shapes(size: Size) -> tuple[tuple[int, ...], tuple[int, int]]:
    """Of a video's latents, channels first, and of a prompt's embeddings."""
    if size.name == "toy":
        return (T2V.in_channels, 2, 8, 8), (4, 6)
    vae = VAEConfig()
    frames = 1 + (FRAMES - 1) // vae.frame_step
    return (T2V.in_channels, frames, HEIGHT // vae.stride, WIDTH // vae.stride), (TOKENS, T2V.text_dim)
