"""Texts that people read, one a module: pages in, Markdown, HTML or plain text out.

Nothing is computed in a report. What was counted lies in the evidence, what was decided in the verdicts; here
numbers are formatted, rows are sorted, and words are chosen by values that are given.
"""
