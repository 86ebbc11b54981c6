"""How a language model writes an answer: prompts, tools, citations, and what to do about its mistakes."""
