"""Containers of testcontainers for tests on a Docker engine: Apache Kafka, PostgreSQL, and a whole booking system.

Needs the extra `testkit`. Kafka and PostgreSQL are reached from the host and, on a
`testcontainers.core.network.Network`, from other containers by their alias. The images are the ordinary ones;
KAFKA_IMAGE and POSTGRES_IMAGE choose others that keep as much of their contract as is used here (deploy/images/local).

The system is composed.py: what it is made of it reads in the image for tests (composition.py).
"""
