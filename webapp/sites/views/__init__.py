"""What people and sites can ask of this part."""
