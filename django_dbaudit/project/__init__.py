"""Facts from the project's code."""
