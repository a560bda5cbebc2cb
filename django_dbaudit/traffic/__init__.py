"""What requests really did: recorded by one execute wrapper, at a price nobody notices."""
