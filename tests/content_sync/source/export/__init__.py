"""Tests of exports as sources."""
