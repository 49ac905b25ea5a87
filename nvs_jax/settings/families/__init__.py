"""What the models of one family alone are told, a module for each family. No JAX here."""
