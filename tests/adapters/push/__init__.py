"""The courier and its parts."""
