"""Rollouts to clusters, asked and told by the program kubectl; who applies is this room, Argo CD or Flux.

engine      what all others call: apply, ask, watch, live, stop
rendered    the manifest of a model as kustomize renders it, of a commit
writing     what is applied and deleted
objects     what the cluster answers, as values
reading     how far a rollout is, from those values alone
blame       whose fault it is that it goes no further, from those values alone
kubectl     one bounded run of the program; `refusals` sorts its words into our errors
forwarding  a port of a pod, here, for as long as it is asked
"""
