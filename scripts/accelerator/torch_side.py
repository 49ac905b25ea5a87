"""The same in PyTorch: diffusers' UNet with random weights, as it is and compiled, and the release's loop around it."""

import gc
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel

from nvs_jax.models.svd.config import published_form
from scripts.accelerator.child import reason
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size
from scripts.accelerator.timing import time_of
from scripts.torch_loop import LoopInputs, TorchLoop

Layout = Mapping[type[torch.nn.Module], torch.memory_format]
CHANNELS_LAST: Layout = {torch.nn.Conv2d: torch.channels_last}
LAYOUTS: Mapping[str, Layout] = {
    "contiguous": {},
    "channels last": CHANNELS_LAST,
    "channels last, 3-D too": {**CHANNELS_LAST, torch.nn.Conv3d: torch.channels_last_3d},
}
"""Of the weights of convolutions, which what they compute follows."""


def device() -> torch.device:
    """The card, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def random_unet(size: Size, dtype: str) -> Any:
    """diffusers' UNet, made on the device."""
    if size.name == "toy":
        torch.set_num_threads(1)  # threads that wait for each other take long where others are at work, too
    # One layer in every transformer, as published: diffusers builds what our configuration spells out only from a 1.
    kwargs: dict[str, Any] = published_form(size.networks.unet) | {"transformer_layers_per_block": 1}
    del kwargs["_class_name"]
    with torch.device("meta"):
        unet = UNetSpatioTemporalConditionModel(**kwargs)
        unet = unet.to(getattr(torch, dtype))
    return randomized(unet.to_empty(device=device()))


def randomized(network: Any) -> Any:
    """The same network, to be evaluated: matrices N(0, 1/fan_in), norms 1, biases 0; in place."""
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim > 1:
                value.normal_(0, value[0].numel() ** -0.5)
            else:
                value.fill_(float("norm" in name and name.endswith("weight")))
    return network.eval().requires_grad_(False)


def laid_out(unet: Any, formats: Layout) -> Any:
    """The same network, in place."""
    for module in unet.modules():
        for kind, form in formats.items():
            if isinstance(module, kind):
                module.to(memory_format=form)  # pyright: ignore[reportCallIssue]
    return unet


def eager(size: Size) -> Iterator[Row]:
    """Both branches in one batch, by dtype and layout."""
    for dtype in size.torch_dtypes:
        unet = random_unet(size, dtype)
        for layout, formats in LAYOUTS.items():
            unet = laid_out(unet, formats)
            yield timed(f"UNet, {dtype}, {layout}", _evaluation(unet, size, dtype), size)
        del unet
        gc.collect()  # before the next one is made


def compiled(size: Size) -> Iterator[Row]:
    """By torch.compile, channels last; at toy size its graph is only taken, and run as it is."""
    dtype = size.torch_dtypes[0]
    unet, toy = laid_out(random_unet(size, dtype), CHANNELS_LAST), size.name == "toy"
    fast = torch.compile(unet, backend="eager" if toy else "inductor")
    row = when_compiled(f"UNet, {dtype}, compiled", _evaluation(fast, size, dtype), size)
    yield row
    if row.failed:
        return
    loop = TorchLoop(fast, _inputs(size), "dgs", device(), getattr(torch, dtype))
    yield timed(f"the release's step of DGS, {dtype}, compiled", lambda: loop.step(0), size)


def _inputs(size: Size) -> LoopInputs:
    rng = np.random.default_rng(0)
    rows, columns = size.cells
    latents = 1, size.frames, rows, columns, size.networks.vae.latent_channels
    noise, target = (rng.standard_normal(latents, np.float32) for _ in range(2))
    image = rng.standard_normal((1, rows, columns, latents[-1]), np.float32)
    embedding = rng.standard_normal((1, size.networks.unet.cross_attention_dim[0]), np.float32)
    return LoopInputs(noise, target, image, embedding, karras_levels(size.steps))


def karras_levels(steps: int) -> np.ndarray:
    """Noise levels as `nvs_jax.diffusion.karras_sigmas`, without JAX."""
    ramp = np.linspace(700.0 ** (1 / 7), 0.002 ** (1 / 7), steps)
    return np.append(ramp**7, 0.0).astype(np.float32)


def _evaluation(unet: Any, size: Size, dtype: str) -> Callable[[], Any]:
    """Of both branches; no argument is a Python number, which would be compiled in."""
    rows, columns = size.cells
    channels, context = size.networks.unet.in_channels, size.networks.unet.cross_attention_dim[0]
    kind: dict[str, Any] = {"device": device(), "dtype": getattr(torch, dtype)}
    x = torch.randn(2, size.frames, channels, rows, columns, **kind)
    tokens = torch.randn(2, 1, context, **kind)
    ids = torch.tensor([[6, 127, 0.02]], **kind).expand(2, -1)
    timestep = torch.tensor(0.25 * math.log(80.0), device=device())

    def evaluate() -> Any:
        with torch.no_grad():
            return unet(x, timestep, tokens, ids).sample

    return evaluate


def when_compiled(what: str, call: Callable[[], Any], size: Size) -> Row:
    """A row of what is compiled when it is first called, with the time that takes."""
    begun = time.perf_counter()
    try:
        call()
        wait()
    except Exception as error:  # torch.compile may find no compiler, or fail in any way of its own
        return Row(what, note=reason(error), failed=True)
    first = time.perf_counter() - begun
    row = timed(what, call, size, "not by inductor" if size.name == "toy" else "")
    return replace(row, figures={**row.figures, "first time, s": first})


def timed(what: str, call: Callable[[], Any], size: Size, note: str = "") -> Row:
    """A row with the time of a call, and the most memory that it takes."""
    try:
        if torch.cuda.is_available():
            torch.cuda.reset_peak_memory_stats()
        figures = {"ms": 1e3 * time_of(call, lambda _: wait(), size)}
        if torch.cuda.is_available():
            figures["GB at most"] = torch.cuda.max_memory_allocated() / 1e9
    except Exception as error:  # a CPU may not have the dtype
        return Row(what, note=reason(error), failed=True)
    return Row(what, figures, note)


def wait() -> None:
    """For what the card is at."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
