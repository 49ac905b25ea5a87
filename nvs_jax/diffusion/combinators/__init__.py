"""Parts that are put around others: around a solver, a guidance, or the noise a run begins with. A module each."""
