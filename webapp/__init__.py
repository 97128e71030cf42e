"""The web application: accounts, jobs and runs, artifacts, REST and websockets; never torch."""
