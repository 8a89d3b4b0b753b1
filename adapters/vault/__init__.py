"""Telephone numbers, addresses and names of the people who are told: here and nowhere else."""
