"""Facts in, findings out. One file a rule, and nothing but rules."""
