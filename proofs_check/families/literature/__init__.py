"""What other papers state of automatic and finite differentiation, judged; the readings are ours."""
