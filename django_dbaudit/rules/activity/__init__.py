"""What sessions do now: ACT."""
