"""What the command does: a file a subcommand, and what they share."""
