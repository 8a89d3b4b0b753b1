"""Channels: each against a real server."""
