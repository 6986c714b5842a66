CREATE UNIQUE INDEX reconciliation_unclaimed ON reconciliation (finding) WHERE repair = 'unclaimed';
CREATE INDEX reconciliation_for_a_person ON reconciliation (at) WHERE repair IN ('missing', 'reversal', 'unclaimed');
DROP INDEX reconciliation_noted;
