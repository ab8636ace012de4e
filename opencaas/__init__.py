"""Settings, composition, processes and the command line: the room that connects all others."""
