"""Reading XML from strangers safely, and saying where in it something was found.

Knows no message format; `adapters/cap` and `adapters/cn12379` build on it.
"""
