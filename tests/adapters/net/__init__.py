"""Requests to others."""
