"""Colour profiles of photos: whatever a picture's numbers mean, as sRGB."""

import io

from PIL import Image, ImageCms

from nvs_jax.saying import say

_ALREADY_SRGB = 2
"""Steps of 255: many profiles are sRGB to rounding, and pictures with them keep their numbers."""


def to_srgb(image: Image.Image, name: str) -> Image.Image:
    """The picture in sRGB by the profile that it carries; unchanged where it has none, or one that is sRGB.

    Colours beyond sRGB are clipped. Transparency is kept. What cannot be used is said on standard error.

    Args:
        image: of 8 bits a colour.
        name: what messages call it.

    Returns:
        RGB, RGBA, or the picture itself.
    """
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    colours = image if image.mode in {"RGB", "L", "CMYK"} else image.convert("RGB")
    try:
        converted = _convert(colours, profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        reason = (str(error).splitlines() or ["damaged"])[0][:100]
        say(f"{name}: its colour profile cannot be used ({reason}): read as sRGB")
        return image
    if converted is None:
        return image
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _convert(image: Image.Image, profile: bytes) -> Image.Image | None:
    """None where nothing changes."""
    source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    transform = ImageCms.buildTransform(source, target, image.mode, "RGB", intent)
    if image.mode == "RGB":
        probe = _all_sorts_of_colours()
        shifts = (abs(a - b) for a, b in zip(probe.tobytes(), _applied(transform, probe).tobytes(), strict=True))
        if max(shifts) <= _ALREADY_SRGB:
            return None
    return _applied(transform, image)


def _applied(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None  # it is, unless in place
    return converted


def _all_sorts_of_colours() -> Image.Image:
    """Nine steps of each channel."""
    steps = [round(255 * i / 8) for i in range(9)]
    return Image.frombytes("RGB", (27, 27), bytes(v for r in steps for g in steps for b in steps for v in (r, g, b)))
