"""The subscribers' desk."""
