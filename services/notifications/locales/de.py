"""The letters in German, for customers and providers; the admin is written to in English."""

from services.notifications.locales.de_reasons import GERMAN_REASONS
from services.notifications.locales.language import Language, Wording

_WORDINGS: dict[str, Wording] = {
    "requested.customer": (
        "Anfrage gesendet: {title}",
        "Wir haben Ihre Anfrage an {provider} weitergeleitet. Es wurde nichts abgebucht.",
        "Die Antwort erfolgt bis {deadline}; bis dahin sind Ihre Plätze reserviert.",
    ),
    "requested.provider": (
        "Bitte bestätigen: {title}",
        "{customer} fragt diese Buchung an.",
        "Bitte nehmen Sie sie bis {deadline} an oder lehnen Sie sie ab; danach verfällt sie.",
    ),
    "approved.customer": (
        "Angenommen: {title}",
        "Ihre Buchung bei {provider} wurde angenommen. Wir versuchen nun die gewählte Zahlung.",
        "Falls sie nicht gelingt, können Sie bis {deadline} bezahlen.",
    ),
    "approved.provider": (
        "Angenommen: {title}",
        "Die Buchung von {customer} ist angenommen und wird mit der Zahlung bestätigt.",
        "Die Zahlung ist bis {deadline} fällig.",
    ),
    "rejected.customer": (
        "Nicht angenommen: {title}",
        "{provider} konnte Ihre Buchung nicht annehmen. Es wurde nichts abgebucht.",
        "Grund: {reason}",
    ),
    "rejected.provider": (
        "Abgelehnt: {title}",
        "Die Buchung von {customer} ist abgelehnt; ihre Plätze sind wieder frei.",
        "Grund: {reason}",
    ),
    "seats_held.customer": (
        "Plätze bis zur Zahlung reserviert: {title}",
        "Ihre Plätze sind bis {deadline} reserviert.",
        "Falls Sie noch nicht bezahlt haben, tun Sie es bitte bis dahin; danach sind sie wieder frei.",
    ),
    "payment_needed.customer": (
        "Zahlung erforderlich: {title}",
        "Ihre Zahlung ist nicht gelungen.",
        "Bitte bezahlen Sie bis {deadline}; bis dahin sind Ihre Plätze reserviert.",
    ),
    "payment_needed.customer.INSUFFICIENT_FUNDS": (
        "Zahlung erforderlich, bitte Guthaben aufladen: {title}",
        "Ihr Guthaben reicht für diese Buchung nicht aus.",
        "Bitte laden Sie es auf und bezahlen Sie bis {deadline}; bis dahin sind Ihre Plätze reserviert.",
    ),
    "payment_needed.provider": (
        "Zahlung steht aus: {title}",
        "Die Zahlung von {customer} ist nicht gelungen.",
        "Sie kann bis {deadline} wiederholt werden; bis dahin sind die Plätze reserviert.",
    ),
    "action_required.customer.authenticate": (
        "Bitte Zahlung bestätigen: {title}",
        "Ihre Bank bittet Sie, diese Zahlung zu bestätigen.",
        "Bitte kehren Sie zur Zahlungsseite zurück und bestätigen Sie sie bis {deadline}.",
    ),
    "action_required.customer.payment_method": (
        "Bitte Zahlungsart wählen: {title}",
        "Ihrer Buchung fehlt noch eine Zahlungsart.",
        "Bitte kehren Sie zur Zahlungsseite zurück und wählen Sie eine bis {deadline}.",
    ),
    "confirmed.customer": (
        "Bestätigt: {title}",
        "Ihre Buchung bei {provider} ist bestätigt.",
        "Der Termin für Ihren Kalender ist angehängt.",
    ),
    "confirmed.provider": (
        "Bestätigt: {title}",
        "Die Buchung von {customer} ist bestätigt.",
        "Der Termin für Ihren Kalender ist angehängt.",
    ),
    "confirmed.attendee": (
        "Bestätigt: {title}",
        "{customer} hat dies für Sie bei {provider} gebucht; die Buchung ist bestätigt.",
        "Der Termin für Ihren Kalender ist angehängt.",
    ),
    "payment_failed.customer": (
        "Zahlung fehlgeschlagen: {title}",
        "{message}",
        "Diese Buchung wurde nicht bezahlt und ist beendet; ihre Plätze sind wieder frei.",
    ),
    "payment_failed.customer.superseded": (
        "Durch Ihre neuere Buchung ersetzt: {title}",
        "{message}",
        "Dieser frühere Versuch ist unbezahlt beendet; Ihr neuerer läuft weiter.",
    ),
    "payment_failed.customer.abandoned": (
        "Zahlung abgebrochen: {title}",
        "{message}",
        "Diese Buchung wurde nicht bezahlt und ist beendet.",
    ),
    "capture_failed.customer": (
        "Buchung beendet, Zahlung fehlgeschlagen: {title}",
        "{message}",
        "Ihre Buchung war bestätigt, aber die Zahlung konnte nicht eingezogen werden; sie ist beendet.",
    ),
    "capture_failed.provider": (
        "Buchung beendet, Zahlung fehlgeschlagen: {title}",
        "Die Buchung von {customer} war bestätigt, aber die Zahlung konnte nicht eingezogen werden.",
        "Sie ist beendet und ihre Plätze sind wieder frei.",
    ),
    "capture_failed.attendee": (
        "Buchung beendet: {title}",
        "Was {customer} für Sie bei {provider} gebucht hatte, ist beendet und findet nicht statt.",
    ),
    "expired.customer.approval": (
        "Anfrage verfallen: {title}",
        "{provider} hat nicht rechtzeitig geantwortet; Ihre Anfrage ist verfallen. Es wurde nichts abgebucht.",
    ),
    "expired.customer.payment": (
        "Buchung verfallen: {title}",
        "Diese Buchung wurde nicht rechtzeitig bezahlt; ihre Plätze sind wieder frei.",
    ),
    "expired.provider.approval": (
        "Anfrage verfallen: {title}",
        "Die Anfrage von {customer} wurde nicht rechtzeitig beantwortet; ihre Plätze sind wieder frei.",
    ),
    "expired.provider.payment": (
        "Buchung verfallen: {title}",
        "Die Buchung von {customer} wurde nicht rechtzeitig bezahlt; ihre Plätze sind wieder frei.",
    ),
    "rescheduled.customer": (
        "Neuer Termin: {title}",
        "Ihre Buchung bei {provider} hat einen neuen Termin: {when}.",
        "Der Anhang aktualisiert Ihren Kalender.",
    ),
    "rescheduled.provider": (
        "Neuer Termin: {title}",
        "Die Buchung von {customer} hat einen neuen Termin: {when}.",
        "Der Anhang aktualisiert Ihren Kalender.",
    ),
    "rescheduled.attendee": (
        "Neuer Termin: {title}",
        "Was {customer} für Sie bei {provider} gebucht hat, hat einen neuen Termin: {when}.",
        "Der Anhang aktualisiert Ihren Kalender.",
    ),
    "cancelled.customer": (
        "Storniert: {title}",
        "Ihre Buchung bei {provider} ist storniert.",
        "Grund: {reason}",
    ),
    "cancelled.customer.provider": (
        "Von {provider} storniert: {title}",
        "{provider} hat Ihre Buchung storniert.",
        "Grund: {reason}",
    ),
    "cancelled.provider": (
        "Storniert: {title}",
        "Die Buchung von {customer} ist storniert; ihre Plätze sind wieder frei.",
        "Grund: {reason}",
    ),
    "cancelled.attendee": (
        "Storniert: {title}",
        "Was {customer} für Sie bei {provider} gebucht hatte, ist storniert und findet nicht statt.",
    ),
    "waitlist_offer.customer": (
        "Ein Platz ist frei: {title}",
        "Worauf Sie bei {provider} gewartet haben, ist frei geworden: {when}.",
        "Es ist für Sie reserviert. Bitte nehmen Sie bis {deadline} an; danach rückt der Nächste nach.",
    ),
    "waitlist_offer_expired.customer": (
        "Ihr Angebot ist abgelaufen: {title}",
        "Der für Sie bei {provider} reservierte Platz wurde nicht rechtzeitig angenommen: {when}.",
        "Nun rückt der Nächste nach. Es wurde nichts abgebucht.",
        "Wenn Sie weiterhin kommen möchten, können Sie sich wieder auf die Warteliste setzen lassen.",
    ),
    "waitlist_closed.customer": (
        "Warteliste geschlossen: {title}",
        "Sie haben auf einen Platz bei {provider} gewartet: {when}. Diese Warteliste ist geschlossen.",
        "Ihr Platz darauf und ein etwaiges Angebot sind erloschen. Es wurde nichts abgebucht.",
    ),
    "waitlist_closed.customer.not_offered": (
        "Nicht mehr angeboten: {title}",
        "{provider} bietet den Termin, auf den Sie gewartet haben, nicht mehr an: {when}.",
        "Ihr Platz auf der Warteliste und ein etwaiges Angebot sind erloschen. Es wurde nichts abgebucht.",
        "Wählen Sie gern einen anderen Termin.",
    ),
    "waitlist_closed.customer.line_over": (
        "Kein Platz frei geworden: {title}",
        "Bei {provider} ist für Sie rechtzeitig kein Platz frei geworden: {when}.",
        "Die Warteliste ist geschlossen. Es wurde nichts abgebucht.",
        "Wählen Sie gern einen anderen Termin.",
    ),
    "reminder.customer": (
        "Erinnerung: {title}",
        "Ihre Buchung bei {provider} steht bevor: {when}.",
    ),
    "reminder.provider": (
        "Erinnerung: {title}",
        "Die Buchung von {customer} steht bevor: {when}.",
    ),
    "reminder.attendee": (
        "Erinnerung: {title}",
        "Was {customer} für Sie bei {provider} gebucht hat, steht bevor: {when}.",
    ),
    "session_completed.customer": (
        "Bitte bestätigen: {title}",
        "Ihr Termin bei {provider} ist als abgeschlossen gemeldet.",
        "War alles in Ordnung? Bitte bestätigen Sie ihn oder melden Sie einen Streitfall bis {deadline}.",
        "Danach geht Ihre Zahlung an {provider}.",
    ),
    "completed.customer": (
        "Abgeschlossen: {title}",
        "Ihre Buchung ist abgeschlossen und Ihre Zahlung von {release} ist an {provider} gegangen.",
    ),
    "completed.provider": (
        "Abgeschlossen: {title}",
        "Die Buchung von {customer} ist abgeschlossen; {release} abzüglich Provision sind für Sie frei.",
    ),
    "dispute_opened.customer": (
        "Streitfall eröffnet: {title}",
        "Wir haben den Streitfall erhalten und prüfen ihn. Bis dahin bleibt das Geld bei uns.",
        "Grund: {reason}",
    ),
    "dispute_opened.provider": (
        "Streitfall eröffnet: {title}",
        "Zur Buchung von {customer} gibt es einen Streitfall. Bis zur Entscheidung bleibt das Geld bei uns.",
        "Grund: {reason}",
    ),
    "dispute_resolved.customer": (
        "Streitfall entschieden: {title}",
        "Der Streitfall ist entschieden: {refund} gehen an Sie zurück, {release} an {provider}.",
        "{note}",
    ),
    "dispute_resolved.provider": (
        "Streitfall entschieden: {title}",
        "Der Streitfall ist entschieden: {release} abzüglich Provision gehen an Sie, {refund} zurück an {customer}.",
        "{note}",
    ),
    "late_payment_returned.customer": (
        "Verspätete Zahlung zurückerstattet: {title}",
        "Ihre Zahlung von {amount} kam an, als diese Buchung schon beendet war. Sie erhalten sie vollständig zurück.",
    ),
    "refund_failed.customer": (
        "Erstattung vorerst fehlgeschlagen: {title}",
        "Ihre Erstattung von {amount} konnte noch nicht ausgezahlt werden. Wir kümmern uns darum.",
    ),
    "refund_failed.provider": (
        "Erstattung vorerst fehlgeschlagen: {title}",
        "Die Erstattung von {amount} an {customer} konnte noch nicht ausgezahlt werden. Wir kümmern uns darum.",
    ),
}
_WORDINGS["payment_needed.customer.hold"] = _WORDINGS["seats_held.customer"]
"""Letters that the release before has written and not sent yet."""

GERMAN = Language(
    greeting="Guten Tag {name},",
    closing="Diese Nachricht wurde automatisch versandt.",
    unsubscribe="Keine Erinnerungen mehr",
    labels={
        "title": "Buchung",
        "when": "Wann",
        "previous": "Bisher",
        "provider": "Bei",
        "customer": "Kunde",
        "attendee": "Teilnehmer",
        "seats": "Plätze",
        "price": "Preis",
        "refund": "Erstattung",
        "kept": "Einbehalten",
        "release": "Freigegeben",
        "amount": "Betrag",
        "booking": "Buchungsnummer",
    },
    page={
        "title": "Erinnerungen",
        "question": "Möchten Sie nicht mehr an Ihre Buchungen erinnert werden? Alles andere kommt wie bisher.",
        "button": "Keine Erinnerungen mehr",
        "done": "Sie werden nicht mehr an Ihre Buchungen erinnert. Alles andere kommt wie bisher.",
    },
    wordings=_WORDINGS,
    reasons=GERMAN_REASONS,
)
