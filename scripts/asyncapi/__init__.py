"""Builds docs/asyncapi.yaml; not part of the product."""
