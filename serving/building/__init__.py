"""What serving/Dockerfile runs while it builds; none of it stays in the image."""
