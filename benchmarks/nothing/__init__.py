"""A database engine that takes everything, does nothing and returns one row."""
