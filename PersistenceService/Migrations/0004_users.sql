-- Who is known, how they are shown, and whose tokens are revoked. What is searched is stored as it is compared: folded by the service, in
-- byte order, so that the start of an id or a name is a range of an index whatever language the database has.
CREATE TABLE users (
    user_id    text        COLLATE "C" PRIMARY KEY,
    name       text,
    picture    text,
    -- Id and name in lower case.
    id_key     text        COLLATE "C" NOT NULL,
    name_key   text        COLLATE "C",
    -- The moment that the profile is of, Unix milliseconds.
    shown_at   bigint      NOT NULL DEFAULT 0,
    -- The first connect; null: the user never connected, only their tokens were revoked.
    first_seen timestamptz,
    -- Tokens issued until then are refused, Unix milliseconds; 0: none were revoked.
    revoked    bigint      NOT NULL DEFAULT 0,
    -- Place in the log of the last change of the profile.
    changed    bigint      NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

CREATE INDEX users_by_id ON users (id_key) WHERE first_seen IS NOT NULL;

CREATE INDEX users_by_name ON users (name_key) WHERE first_seen IS NOT NULL AND name_key IS NOT NULL;
