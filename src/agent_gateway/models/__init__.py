"""What writes answers. The extractive floor needs nothing but the passages."""
