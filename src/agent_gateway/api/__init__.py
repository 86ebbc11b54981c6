"""The HTTP edge: the only part that knows status codes, and the only one that imports litestar.

`front` answers before anything heavy is imported; `apps` builds the rest and is imported late.
"""
