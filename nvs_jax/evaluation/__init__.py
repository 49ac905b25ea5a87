"""How good pictures are: measures, and what they are measured on."""
