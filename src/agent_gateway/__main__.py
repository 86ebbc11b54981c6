"""`python -m agent_gateway`: the command line."""

from __future__ import annotations

from agent_gateway.cli import main

if __name__ == "__main__":
    main()
