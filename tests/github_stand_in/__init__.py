"""A GitHub for tests: its REST API over bare git repositories, served on this machine.

What GitHub's description says of shapes is read from that description (`description.py`); what it says nothing of,
the rules, is written here by hand: what a branch, a merge, a duplicate and a stale read lead to.

Not imitated: `mergeable: null` before GitHub has computed it, eventual consistency, rate limits (but see
`faults.py`), what a ruleset forbids, webhooks, what reviewers answer, squash and rebase merges, forks.
"""

from __future__ import annotations
