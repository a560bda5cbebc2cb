"""Facts from the server: read only, bounded, with the least privilege."""
