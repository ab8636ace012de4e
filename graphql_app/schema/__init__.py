"""From an application definition (SDL and mappings) to an executable schema; pure, nothing here waits."""
