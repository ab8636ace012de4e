"""A cluster on one machine to start, load and break: three members of a replica set, servers, a balancer."""
