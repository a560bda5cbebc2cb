"""What other tools show of our traffic; nothing here is imported unless asked for."""
