"""Pictures of an incident for docs/, made from one that really went through the watch."""
