"""The durable outbox and the worker that empties it: what was planned for people goes to channels, each once.

The event log says what is to be told. The outbox is filled from it and knows what became of every message.
"""
