"""The commands' names, options and help texts; what they do is imported when they run."""
