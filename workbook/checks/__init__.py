"""What a checklist runs on, alike for all phases: the target, the system behind it, verdicts, the pytest plugin.

Imported once for each run of a checklist, in a process of its own: what only some targets need is imported there.
"""
