"""The public language of the booking system: topics, messages, codes, and a client.

Other teams install this package; it needs pydantic alone and imports nothing of the services.
"""
