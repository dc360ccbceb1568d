-- What a room is besides its log. A room without a row is public, and its members send.
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
    -- The room was deleted; the row stays, so that a late entry of the log cannot bring it back.
    deleted        boolean     NOT NULL DEFAULT false,
    -- Place in the log of the last change.
    changed        bigint      NOT NULL
) WITH (fillfactor = 70);

-- 0 member, 1 moderator, 2 owner.
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
