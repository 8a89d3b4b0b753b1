"""Releases as signed requests to downstream systems that registered an address."""
