"""The application that `traffic` asks."""
