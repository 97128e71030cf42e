"""The program that a site runs beside its data: it asks a server for work and answers.

Only outbound connections, no code from elsewhere, no Django. What it may do is decided by the
site's policy (`fedcore.sites.policy`), on the site; what it says is `fedcore.sites.messages`.
"""
