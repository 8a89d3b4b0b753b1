"""The HTTP side: the intake of partner agencies, health, metrics, and the public reading API beside it.

Nothing is imported here, so that the JSON reader can be used without the web framework.
"""
