"""What is wrong with a rulebook, where, and how to say so to the person who wrote it."""
