-- Who may do what in the database of AspireChat. Run by a superuser in that database, as often as you like; also on data that older versions
-- made, whose tables belonged to the superuser. psql reads it, and so does PostgreSQL's single-user mode (Servers/PostgresRoles.cs), which ends
-- a statement at an empty line: keep one after each statement, and none inside. The image runs it once, when it has made its data; for data
-- that exists there is deploy/compose/roles. deploy/kubernetes/base/roles.sql is a copy. What the writer may do with each table is in PersistenceService/Migrations.
\set ON_ERROR_STOP on
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv writer_password POSTGRES_WRITER_PASSWORD

DO $roles$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aspirechat_owner') THEN
        CREATE ROLE aspirechat_owner;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aspirechat_writer') THEN
        CREATE ROLE aspirechat_writer;
    END IF;
END
$roles$;

-- Owns the tables and migrates them. Nothing of the running service uses it after the migrations.
ALTER ROLE aspirechat_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner_password';

-- Reads and writes rows.
ALTER ROLE aspirechat_writer LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'writer_password';

DO $owner$
DECLARE
    kept record;
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO aspirechat_owner', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO aspirechat_writer', current_database());
    ALTER SCHEMA public OWNER TO aspirechat_owner;
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO aspirechat_writer;
    FOR kept IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'aspirechat_owner' LOOP
        EXECUTE format('ALTER TABLE public.%I OWNER TO aspirechat_owner', kept.tablename);
    END LOOP;
END
$owner$;
