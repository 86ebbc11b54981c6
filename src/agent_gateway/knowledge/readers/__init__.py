"""One reader per file format; each turns text or bytes into a title and blocks."""
