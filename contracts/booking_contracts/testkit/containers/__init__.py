"""Apache Kafka and PostgreSQL as containers of testcontainers: for tests on a Docker engine. Needs the extra `testkit`.

Each is reached from the host and, on a `testcontainers.core.network.Network`, from other containers by its alias. The
images are the ordinary ones; KAFKA_IMAGE and POSTGRES_IMAGE choose others that keep as much of their contract as is
used here (deploy/images/local).
"""
