"""Keys, by which parallel users of one server are told apart."""
