"""Jobs, runs, rounds and events: the truth about all work, and the rules that change it."""
