"""GraphQL over HTTP: reading requests, deciding who may ask, and the headers of answers."""
