"""How much memory a render takes, said before it runs: programs compiled from shapes alone, and a table of results."""
