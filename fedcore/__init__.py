"""The federated learning engine of Roundhouse; it runs in a notebook without any web framework."""
