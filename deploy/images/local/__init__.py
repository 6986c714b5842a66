"""Base, PostgreSQL and Kafka images from what a Debian host has installed, where the ordinary ones cannot be pulled.

They keep the part of the ordinary images' contracts that this project uses: postgres.sh and kafka.sh say which.
"""
