"""The durable stores: the event log (on `eventsourcing`'s recorders) and what is kept beside it.

Here: how events become bytes and rows, transactions, locks, and the only imports of `eventsourcing`.
Not here: what an event means; a store never looks inside one.
"""
