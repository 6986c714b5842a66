-- Databases and roles, for psql as the superuser, once on a new cluster. Passwords are in the environment:
-- AUDITOR_PASSWORD, and <DATABASE>_PASSWORD with <DATABASE>_OWNER_PASSWORD for each database.
-- `auditor` reads everything and writes nothing.
\getenv password AUDITOR_PASSWORD
CREATE ROLE auditor LOGIN PASSWORD :'password';
GRANT pg_read_all_data, pg_monitor TO auditor;

\set service booking
\getenv password BOOKING_PASSWORD
\getenv owner_password BOOKING_OWNER_PASSWORD
\ir service.psql
CREATE EXTENSION btree_gist;

\set service payments
\getenv password PAYMENTS_PASSWORD
\getenv owner_password PAYMENTS_OWNER_PASSWORD
\ir service.psql

\set service notifications
\getenv password NOTIFICATIONS_PASSWORD
\getenv owner_password NOTIFICATIONS_OWNER_PASSWORD
\ir service.psql

-- What auditor and console keep; the services have nothing to do with it.
\set service operations
\getenv password OPERATIONS_PASSWORD
\getenv owner_password OPERATIONS_OWNER_PASSWORD
\ir service.psql
