-- What a room is besides its log.
CREATE TABLE rooms (
    conversation   text        COLLATE "C" PRIMARY KEY,
    -- 0 public: any user may read and join. 1 private: members only.
    visibility     smallint    NOT NULL,
    -- Who sends: 0 members, 1 moderators.
    sending        smallint    NOT NULL,
    name           text,
    topic          text,
    -- A JSON object.
    meta           text,
    -- Null: what the system's setting says.
    retention_days integer,
    created_at     timestamptz NOT NULL,
    -- A join created it, and it was given no settings: its last owner may leave although others are members.
    plain          boolean     NOT NULL DEFAULT false,
    -- The room was deleted; the row stays, so that a late entry of the log cannot bring it back.
    deleted        boolean     NOT NULL DEFAULT false,
    -- How often it was deleted. The number is part of the epoch of its log since then.
    life           integer     NOT NULL DEFAULT 0,
    -- Its head when it was deleted last: nothing up to it is read any more.
    floor          bigint      NOT NULL DEFAULT 0,
    -- Up to where the content of the deleted log has been taken away.
    wiped          bigint      NOT NULL DEFAULT 0,
    -- Place in the log of the last deletion: memberships from before it have ended.
    begun          bigint      NOT NULL DEFAULT 0,
    -- The words of id and name, whose beginnings are searched for. Punctuation separates them.
    words          tsvector    NOT NULL GENERATED ALWAYS AS (to_tsvector('simple',
        regexp_replace(lower(substr(conversation, 3) || ' ' || COALESCE(name, '')), '[ -/:-@[-`{-~]+', ' ', 'g'))) STORED,
    -- Place in the log of the last change.
    changed        bigint      NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX rooms_words ON rooms USING gin (words);

-- Deleted rooms whose content is still there.
CREATE INDEX rooms_unwiped ON rooms (conversation) WHERE wiped < floor;

-- 0 member, 1 moderator, 2 owner; of a user who is no member any more: -1 was removed, 2 left as the last owner.
ALTER TABLE members ADD COLUMN role smallint NOT NULL DEFAULT 0;

-- Bans (kind 0) and mutes (kind 1).
CREATE TABLE restrictions (
    conversation text        COLLATE "C" NOT NULL,
    member       text        COLLATE "C" NOT NULL,
    kind         smallint    NOT NULL,
    -- False once it was lifted; the row stays, like that of a member who left.
    active       boolean     NOT NULL,
    -- When it ends by itself; null: never.
    until        timestamptz,
    reason       text,
    made_by      text        COLLATE "C" NOT NULL,
    -- Place in the log of the last change.
    changed      bigint      NOT NULL,
    PRIMARY KEY (conversation, member, kind)
) WITH (fillfactor = 70);
