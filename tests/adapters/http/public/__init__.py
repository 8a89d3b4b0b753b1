"""The public read API, asked by a real client of a real server."""
