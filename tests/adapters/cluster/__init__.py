"""The processes of a distributed outlet: health, leases, topics, settings."""
