"""What makes a shop of the project: data, traffic and trouble. No page of the shop needs it."""
