"""Who is measured: this engine and what else can do the same work, each in processes of its own."""
