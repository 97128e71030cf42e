"""What happens on a client: local training, and turning its result into an update."""
