"""How long a program takes at the least: what it computes and moves over what a chip can. No JAX here."""

from dataclasses import dataclass

from nvs_jax.planning.table import Entry


@dataclass(frozen=True)
class Rates:
    """What a chip can do in a second.

    Attributes:
        flops: operations on bfloat16; products of float32 take them too, at XLA's default precision.
        memory: bytes read from or written to HBM.
        links: bytes to the other chips, all links together.
    """

    flops: float
    memory: float
    links: float


# As published by the maker: TFLOP/s in bfloat16, GB/s of HBM, and Gbit/s of the links between chips.
RATES = {
    "v5e": Rates(197e12, 819e9, 1600e9 / 8),
    "v6e": Rates(918e12, 1640e9, 3584e9 / 8),
    "v5p": Rates(459e12, 2765e9, 4800e9 / 8),
    "v4": Rates(275e12, 1228e9, 2400e9 / 8),
    "h100": Rates(989e12, 3352e9, 900e9 / 2),
}


@dataclass(frozen=True)
class Roofline:
    """Seconds of a sampler step, or of another whole program.

    Attributes:
        compute: of all operations.
        memory: of all that is moved to and from HBM.
        links: of all that is sent to other chips.
    """

    compute: float
    memory: float
    links: float

    @property
    def total(self) -> float:
        """Computing and reading go on at once; layers wait for what other chips send.

        >>> Roofline(compute=3.0, memory=2.0, links=1.0).total
        4.0
        """
        return max(self.compute, self.memory) + self.links


def roofline(entry: Entry) -> Roofline:
    """At the published rates of its chip, from counted work; sent bytes are the compiled program's, if known."""
    rates = RATES[entry.chip]
    sent = sum(size for _, size in entry.collectives.values()) if entry.collectives else entry.exchanged
    return Roofline(
        compute=(entry.products + entry.attention) / rates.flops,
        memory=(entry.weights_read + entry.activations) / rates.memory,
        links=sent / rates.links,
    )
