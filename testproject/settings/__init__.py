"""One module an environment; ``base`` holds what they share and is never used alone."""
