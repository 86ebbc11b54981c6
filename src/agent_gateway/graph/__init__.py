"""The turn: five stages, what they may use, and the graph that runs them."""
