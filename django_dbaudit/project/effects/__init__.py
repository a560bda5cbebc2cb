"""What a view may do to the database: its source, interpreted over abstract values and live objects."""
