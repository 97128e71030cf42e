"""Real sites, as the server sees them: who they are, what they declare, what they are asked."""
