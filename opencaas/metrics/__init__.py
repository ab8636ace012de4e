"""Figures of the whole server: kept in memory that all its processes share, shown at ``/_metrics``."""
