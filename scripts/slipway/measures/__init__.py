"""One question a module: arrays go in, what was measured comes out. No limit is known here."""
