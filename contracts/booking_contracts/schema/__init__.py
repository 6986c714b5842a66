"""JSON Schemas and AsyncAPI from the messages, and whether a change of them breaks anybody."""
