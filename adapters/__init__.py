"""The outermost ring: one outside thing per file, and the only wiring.

Here: formats, stores, channels, HTTP, console, command line, settings.
Not here: decisions; an adapter translates, calls a stage or reads a projection, and translates back.
"""
