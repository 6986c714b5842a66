"""Of the business: bookings by state, and money held, owed and released."""

from __future__ import annotations

from deploy.dashboards.grafana import Dashboard, Panel, Row


def _posted(title: str, description: str, *accounts: tuple[str, str, str]) -> Panel:
    """What was posted to accounts in an hour: (account, in or out, what it is called)."""
    return Panel(
        title,
        f"{description} In minor units of the currency, an hour's worth.",
        "short",
        [
            (
                "sum by (currency) (rate(booking_ledger_minor_total"
                f'{{$, account="{account}", side="{side}"}}[$__rate_interval])) * 3600',
                f"{name} {{{{currency}}}}",
            )
            for account, side, name in accounts
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
                    "What was posted to providers, transfers that came back among it, and our commission.",
                    ("provider", "in", "providers"),
                    ("commission", "in", "commission"),
                ),
                _posted("Captured", "What came into escrow.", ("escrow", "in", "captured")),
                _posted(
                    "Lost",
                    "Chargebacks and refunds by hand that were our loss.",
                    ("chargeback:losses", "out", "chargebacks"),
                    ("refund:losses", "out", "refunds"),
                ),
            ),
        ),
    ),
)
