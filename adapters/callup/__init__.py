"""What people send back to the outlet, taken to whatever waits for it."""
