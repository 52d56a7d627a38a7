"""The bodies of the commands, one module per group; imported only when a command runs."""
