"""A real Kafka for tests: where its jars come from, a broker, and what ends it whatever happens."""
