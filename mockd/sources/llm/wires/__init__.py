"""The wires: what each provider's streams, answers and errors are, as its own clients read them."""
