"""Memory: the tables, and the one transaction in which a turn becomes true."""
