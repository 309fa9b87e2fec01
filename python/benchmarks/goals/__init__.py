"""The goals for speed, each group in a file of its own: what is wanted, and how it is measured."""
