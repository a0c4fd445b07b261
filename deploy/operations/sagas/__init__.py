"""``caudal sagas``: which processes there are, which are stuck and why, and what an operator tells them."""
