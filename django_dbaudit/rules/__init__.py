"""Facts in, findings out. One file a rule; a file that begins with an underscore helps its siblings."""
