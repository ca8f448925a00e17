"""The guides of docs/, followed word by word."""
