"""The programs of a render that are compiled at full size: names for the command line."""

from dataclasses import replace
from typing import Literal

from nvs_jax.planning.request import Program, Request

Case = Literal[
    "embed",
    "encode",
    "encode-tiles",
    "dgs",
    "dgs-sequential",
    "post-skip",
    "post-full",
    "decode",
    "decode-bfloat16",
    "decode-tiles",
]
TILE, OVERLAP = (320, 512), 64


def variant(case: Case, request: Request) -> tuple[Program, Request]:
    """The program of a case, and the request that asks for it."""
    match case:
        case "embed":
            return "embed", request
        case "encode" | "decode":
            return case, request
        case "decode-bfloat16":
            return "decode", replace(request, vae_dtype="bfloat16")
        case "encode-tiles":
            return "encode", replace(request, tile=TILE, overlap=OVERLAP)
        case "decode-tiles":
            return "decode", replace(request, tile=TILE, overlap=OVERLAP)
        case "dgs" | "dgs-sequential":
            return "sample", replace(request, method="dgs", sequential=case != "dgs")
        case "post-skip" | "post-full":
            return "sample", replace(request, method="post", gradient="full" if case == "post-full" else "skip")
