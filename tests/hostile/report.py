"""What happened in a siege, as markdown tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tests.hostile.checks import percentile
from tests.hostile.facts import Aftermath
from tests.hostile.records import Sent


def report(found: Aftermath) -> str:
    """By kind what was sent and what came of it; the ordinary client; memory."""
    return "\n".join((*_kinds(found), "", *_ordinary(found), "", *_memory(found)))


def _kinds(found: Aftermath) -> Iterable[str]:
    by_kind: defaultdict[str, list[Sent]] = defaultdict(list)
    for sent in found.sent:
        by_kind[sent.record.kind].append(sent)
    yield "| kind | sent | answered | of those yes | set aside | neither |"
    yield "|---|---|---|---|---|---|"
    for kind, group in [*sorted(by_kind.items()), ("all", found.sent)]:
        answered = [sent for sent in group if _ids(sent) & found.replies.keys()]
        accepted = [sent for sent in answered if _ids(sent) & found.accepted]
        aside = [sent for sent in group if found.places[sent.place]]
        neither = [sent for sent in group if not (_ids(sent) & found.replies.keys() or found.places[sent.place])]
        yield f"| {kind} | {len(group)} | {len(answered)} | {len(accepted)} | {len(aside)} | {len(neither)} |"


def _ids(sent: Sent) -> set[str]:
    return {one for one in (sent.record.id, *sent.record.also) if one}


def _ordinary(found: Aftermath) -> Iterable[str]:
    yield "| ordinary command | sent | unanswered | refused | p50 | p99 | slowest |"
    yield "|---|---|---|---|---|---|---|"
    parts = {name: [one for one in found.asked if one.name == name] for name in sorted({a.name for a in found.asked})}
    parts["beside floods, lines, closings, locks"] = [one for one in found.asked if one.began < found.acted_until]
    parts["beside single records"] = [one for one in found.asked if one.began >= found.acted_until]
    for name, asked in [*parts.items(), ("all", found.asked)]:
        seconds = [one.seconds for one in asked if one.seconds is not None]
        refused, lost = sum(one.refused is not None for one in asked), len(asked) - len(seconds)
        times = " | ".join(f"{percentile(seconds, share) * 1000:.0f} ms" for share in (0.5, 0.99, 1.0))
        yield f"| {name} | {len(asked)} | {lost} | {refused} | {times} |"


def _memory(found: Aftermath) -> Iterable[str]:
    yield "| process | before | after | at most |"
    yield "|---|---|---|---|"
    for name, one in sorted(found.memory.items()):
        yield f"| {name} | {one.before} MiB | {one.after} MiB | {one.peak} MiB |"
