"""The GraphQL rooms: application definitions come in, executable schemas answer over HTTP."""
