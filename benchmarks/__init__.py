"""Measurements of the gateway, each a command; results are in README.md."""
