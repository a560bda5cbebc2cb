"""What requests ask the database: QRY."""
