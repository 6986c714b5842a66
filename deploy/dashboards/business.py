"""Of the business: bookings by state, and money held, owed and released."""

from __future__ import annotations

from deploy.dashboards.grafana import Dashboard, Panel, Row


def _posted(title: str, description: str, *postings: tuple[str, str]) -> Panel:
    """What was posted in an hour: (labels of booking_ledger_minor_total, what it is called)."""
    return Panel(
        title,
        f"{description} In minor units of the currency, an hour's worth.",
        "short",
        [
            (
                f"sum by (currency) (rate(booking_ledger_minor_total{{$, {labels}}}[$__rate_interval])) * 3600",
                f"{name} {{{{currency}}}}",
            )
            for labels, name in postings
        ],
    )


BUSINESS = Dashboard(
    "booking-business",
    "Booking: business",
    "Bookings by state, and money: held, owed, released. Figures for a look; the truth is GET /v1/ledger.",
    "booking_sampled_timestamp_seconds",
    (
        Row(
            "Bookings",
            (
                Panel(
                    "Bookings by state",
                    "All there are, counted every five minutes.",
                    "short",
                    [("max by (state) (booking_bookings{$})", "{{state}}")],
                    columns=12,
                ),
                Panel(
                    "Bookings that came into a state",
                    "An hour's worth.",
                    "short",
                    [
                        (
                            "sum by (state) (rate(booking_bookings_entered_total{$}[$__rate_interval])) * 3600",
                            "{{state}}",
                        )
                    ],
                    columns=12,
                ),
            ),
        ),
        Row(
            "Money",
            (
                Panel(
                    "Held",
                    "In escrow for bookings, and in wallets; minor units, counted every five minutes.",
                    "short",
                    [("max by (account, currency) (booking_money_held_minor{$})", "{{account}} {{currency}}")],
                    stacked=True,
                ),
                Panel(
                    "Owed",
                    "To providers who were not paid out yet, and to payers whose refund failed; minor units.",
                    "short",
                    [("max by (to, currency) (booking_money_owed_minor{$})", "{{to}} {{currency}}")],
                    stacked=True,
                ),
                _posted(
                    "Released",
                    "What settlements gave to providers, our commission, and transfers to providers that came back.",
                    ('account="provider", cause="settle", side="in"', "providers"),
                    ('account="commission", cause="settle", side="in"', "commission"),
                    ('account="provider", cause="transfer reversed", side="in"', "came back"),
                ),
                _posted(
                    "Captured", "What came into escrow.", ('account="escrow", cause="capture", side="in"', "captured")
                ),
                _posted(
                    "Lost",
                    "Chargebacks and refunds by hand that were our loss.",
                    ('account="chargeback:losses", side="out"', "chargebacks"),
                    ('account="refund:losses", side="out"', "refunds"),
                ),
            ),
        ),
    ),
)
