"""Bureaus' web lists of what is in force, read by profiles: TOML that says where in the JSON each thing is."""
