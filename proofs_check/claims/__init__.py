"""What a claim is: its statement, its instances, its steps, its verdicts."""
