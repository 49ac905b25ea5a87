"""Train the small video model that the package carries: `python -m scripts.train --help`."""
