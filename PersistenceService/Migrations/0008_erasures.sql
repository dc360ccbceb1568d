-- Erasures of users: work that an operator asked for and that outlives the call.
CREATE TABLE erasures (
    id          uuid        PRIMARY KEY,
    subject     text        COLLATE "C" NOT NULL,
    -- 0 running, 1 done, 2 failed.
    status      smallint    NOT NULL,
    -- The last conversation that is finished; '' before the first.
    place       text        COLLATE "C" NOT NULL,
    -- Messages and edits that lost their content.
    erased      bigint      NOT NULL,
    asked_at    timestamptz NOT NULL,
    -- The replica at work touches it; another one takes over what is not touched for a while.
    touched_at  timestamptz NOT NULL
);

-- One erasure of a user runs at a time.
CREATE UNIQUE INDEX erasures_running ON erasures (subject) WHERE status = 0;
