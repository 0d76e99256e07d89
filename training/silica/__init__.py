"""The plan of the project's own campaign over silica: which structures, which sites, what order.

Not installed: it names the project's folders. Run from the repository, ``python -m
training.silica.campaign``.
"""
