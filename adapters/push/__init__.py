"""Releases handed to other systems: one courier, and a target for each system that wants them."""
