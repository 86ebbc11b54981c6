"""What is compared with: the same turn as one puts FastAPI and LangChain together, in an environment of its own.

Nothing here imports the gateway, and nothing of the gateway imports this.
"""
