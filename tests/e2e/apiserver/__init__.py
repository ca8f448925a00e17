"""The control plane of a real Kubernetes without nodes; it ends with these tests, not with the last of all."""
