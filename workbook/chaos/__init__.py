"""`./learn chaos`: a random run of the whole system while its parts die, hang and restart, and a proof of what it did.

The seed gives the plan: which fault when, which client wants what. It does not give the scheduler of the operating
system, so a second run with the same seed meets the same weather, and not the same lightning.
"""
