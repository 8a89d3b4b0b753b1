"""The outbox, its worker and the commands around them, over a real log, audience and vault."""
