"""The figures of the report, of sweeps and of advice."""
