"""How time and memory of training grow: each point in a process of its own."""
