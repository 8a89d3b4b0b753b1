"""The command line `outlet`: one module for each group of commands, `app.py` for the whole.

A command builds the platform, asks one question or does one thing, prints it, and ends with 0 (done), 1 (something
was refused) or 2 (wrong usage). No rule about warnings lives here.
"""
