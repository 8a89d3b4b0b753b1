"""What people send back, as it is read."""
