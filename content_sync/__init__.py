"""CaaS Connect's jobs: a client of the HTTP interface that fills a server from what a project exports."""
