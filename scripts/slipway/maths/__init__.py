"""Arrays in, numbers out. Needs numpy and nothing of Slipway, so that the server may use it too."""
