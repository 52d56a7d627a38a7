"""Long work: the store, sweeps and their cells."""
