"""Indexes, tables and sequences: IDX."""
