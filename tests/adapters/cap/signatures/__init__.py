"""Keys, signed messages and attacks on them, all made by code."""
