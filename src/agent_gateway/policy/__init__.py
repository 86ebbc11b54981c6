"""What a persona may do: one gate that every tool call passes, and the executor it stands in."""
