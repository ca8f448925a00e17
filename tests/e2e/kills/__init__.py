"""A small team whose release and watch can be killed anywhere: real git, commands, registry and servers."""
