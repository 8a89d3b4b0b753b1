"""Webhooks: registered, signed, delivered, and ended."""
