"""Lines: one response on its way out. This folder, and no other, names servers and reads what is theirs."""
