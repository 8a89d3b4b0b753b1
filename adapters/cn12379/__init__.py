"""The national 12379 form of a warning (GB/T 35965.1): XML, names, zip and acknowledgement."""
