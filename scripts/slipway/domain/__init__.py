"""The words of Slipway as frozen values: no files, no network, no clock."""
