-- Text that is compared or sorted has the collation "C": identifiers are ASCII, byte order is the protocol's order, and it is several
-- times faster than a language's.

-- The place of each partition of the Redis log.
CREATE TABLE partitions (
    partition  smallint    PRIMARY KEY,
    -- Recorded here before it is set in Redis: an epoch that this table does not know is one that Redis brought back from a backup.
    epoch      text        NOT NULL,
    -- The last log entry whose batch is committed, as milliseconds << 20 | number (see LogPosition). Never goes back.
    committed  bigint      NOT NULL DEFAULT 0,
    opened_at  timestamptz NOT NULL
);

CREATE TABLE conversations (
    conversation text        COLLATE "C" PRIMARY KEY,
    partition    smallint    NOT NULL,
    -- The last seq.
    head         bigint      NOT NULL,
    updated_at   timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE events (
    conversation text        COLLATE "C" NOT NULL,
    seq          bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    -- Seq of the message that an edit, delete or reaction refers to.
    target       bigint,
    -- Of a message: seq of its last edit, and of its deletion (also of the edits of a deleted message).
    edited       bigint,
    deleted      bigint,
    id           uuid        NOT NULL,
    -- 0 room, 1 dm, 2 edit, 3 delete, 4 react.
    kind         smallint    NOT NULL,
    -- A reaction is taken back.
    removes      boolean     NOT NULL,
    sender       text        COLLATE "C" NOT NULL,
    nonce        text        COLLATE "C" NOT NULL,
    epoch        text        NOT NULL,
    -- Of a message: as last edited, or empty once deleted.
    content      text,
    emoji        text,
    PRIMARY KEY (conversation, seq),
    -- Led by the conversation, so that a later hash partitioning by conversation keeps it.
    CONSTRAINT events_nonce UNIQUE (conversation, sender, nonce)
);

CREATE INDEX events_target ON events (conversation, target) WHERE target IS NOT NULL;

-- Finds the last day's nonces when Redis has to be filled again, at next to no cost for the writer.
CREATE INDEX events_created ON events USING brin (created_at);

CREATE TABLE members (
    conversation text        COLLATE "C" NOT NULL,
    member       text        COLLATE "C" NOT NULL,
    -- False once the member has left; the row stays, so that a late entry of the log cannot bring the membership back.
    joined       boolean     NOT NULL,
    -- Read cursor, only ever forward.
    read         bigint      NOT NULL,
    joined_at    timestamptz NOT NULL,
    -- Place in the log of the last change of membership.
    changed      bigint      NOT NULL,
    PRIMARY KEY (conversation, member)
) WITH (fillfactor = 70);

CREATE INDEX members_of ON members (member) WHERE joined;
