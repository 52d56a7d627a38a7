"""The routes by which a kernel is found in closed form."""
