"""What follows from facts and serves several rules and reports: pure functions, no judgement yet."""
