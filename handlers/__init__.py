"""Decisions: pure functions from what came in and what is known to new state, effects and replies."""
