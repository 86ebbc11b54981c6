"""Text to vectors: the reference encoder (in a child process) and its fast export for queries."""
