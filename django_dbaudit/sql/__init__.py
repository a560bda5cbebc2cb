"""The project's statements, read as PostgreSQL's grammar has them; ``sqlglot`` does the parsing."""
