"""Claims of one's own: the decorator, its files, and the guards of exact predicates."""
