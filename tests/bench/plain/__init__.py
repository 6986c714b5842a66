"""The same saga as an ordinary team writes it today on plain FastStream, to measure ours against.

Three FastStream applications, each with its own database: booking.py, payments.py, notifications.py; messages.py is
what they say, tables.py what they store, service.py what they share. One message is one transaction: inbox, rows,
outbox. A task polls the outbox every 100 ms and publishes it row by row. `python -m tests.bench.plain` runs both
systems in turns.

It does less than ours wherever there was a choice, so that a ratio flatters nobody: no replies to commands, no webhooks
(its Stripe simulator delivers none), no timers, ledger, history, metrics or HTTP, no lookup of an answer that was lost;
price, people and times stand in the slot. It gives up nothing of durability: fsync, acks=all, a message is acknowledged
after its commit.
"""
