"""From statements on record to what the planner says of them, today and with other indexes."""
