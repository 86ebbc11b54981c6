"""Who asks, and what they may do: decided from the socket, the path and one bearer token, before anything is read."""
