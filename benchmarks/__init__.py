"""Measurements of the gateway, each a command; results are in README.md."""

import os

# LanceDB warns of a coming change with every hybrid query; it reads this once, when it is loaded.
os.environ.setdefault("LANCEDB_LOG", "error")
