"""Commands: parse options, ask for facts, run rules, hand to a report."""
