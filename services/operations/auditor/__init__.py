"""The auditor: looks for ever whether seats, bookings, payments, ledger, Stripe and letters agree (docs/auditor.md).

It mends nothing and writes to the database `operations` alone. Two databases are never read at one instant: what seems
wrong is looked at again before it counts (requirement auditor).
"""
