"""Who may do what: users, projects, memberships, tokens."""
