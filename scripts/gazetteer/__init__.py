"""Builds the gazetteer's data; not part of the product."""
