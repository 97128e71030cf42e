"""The protocol between a site and the server: who says what, in which form, and how it is proven.

Neither torch nor Django is needed to read it. `docs/adr/0017-sites-sign-what-they-ask.md` has the
reasons; `signing` is how requests are proven, `messages` what enrolment and heartbeats carry,
`tasks` the work of a round, `secure` the stages of a secure sum, `routes` where each goes.
"""

#: Both sides name it in every message that begins a conversation; other versions are refused.
PROTOCOL = 1
