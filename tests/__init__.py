"""Tests read like conversations or like tables."""
