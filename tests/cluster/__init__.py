"""The process set of docker-compose.yml without containers: for tests, and for people by `make cluster`."""
