"""Acting without a model: a plain request is read, recognized by the tools themselves, and its result shown."""
