-- Databases and roles, for psql as the superuser, on a new cluster, and again when a version brings another database: what
-- is there stays as it is. Passwords of what is made are in the environment: AUDITOR_PASSWORD, and <DATABASE>_PASSWORD
-- with <DATABASE>_OWNER_PASSWORD for each database. `auditor` reads everything and writes nothing.
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'auditor') AS missing \gset
\if :missing
\getenv password AUDITOR_PASSWORD
CREATE ROLE auditor LOGIN PASSWORD :'password';
GRANT pg_read_all_data, pg_monitor TO auditor;
\endif

\set service booking
\getenv password BOOKING_PASSWORD
\getenv owner_password BOOKING_OWNER_PASSWORD
\ir service.psql
CREATE EXTENSION IF NOT EXISTS btree_gist;

\set service payments
\getenv password PAYMENTS_PASSWORD
\getenv owner_password PAYMENTS_OWNER_PASSWORD
\ir service.psql

\set service notifications
\getenv password NOTIFICATIONS_PASSWORD
\getenv owner_password NOTIFICATIONS_OWNER_PASSWORD
\ir service.psql

-- What auditor and console keep; no service has anything to do with it.
\set service operations
\getenv password OPERATIONS_PASSWORD
\getenv owner_password OPERATIONS_OWNER_PASSWORD
\ir service.psql
