"""The contact vault."""
