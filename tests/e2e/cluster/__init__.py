"""A real Kubernetes for tests, in namespaces of its own: what it started and mounted goes with them."""
