"""The shared ground of OpenCaaS: errors, names, JSON forms, the store, and who may do what."""
