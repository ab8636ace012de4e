"""Measurements: each is a ratio of two things that run in one go on the same data. ``make bench`` prints them."""
