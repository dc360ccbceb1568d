-- What webhooks are still to be told. Nothing here holds what users wrote: it is read from the events when it is sent.

-- One row for each event and webhook, written in the transaction that commits the event.
CREATE TABLE webhook_outbox (
    -- The number of the webhook in the configuration.
    webhook    smallint    NOT NULL,
    partition  smallint    NOT NULL,
    -- What keeps one order: a conversation's key, or 'presence'.
    lane       text        COLLATE "C" NOT NULL,
    -- Place in the log of the event (see LogPosition), or of the moment at which something else happened.
    position   bigint      NOT NULL,
    -- Of the event; 0 where there is none.
    seq        bigint      NOT NULL,
    -- See WebhookKind.
    kind       smallint    NOT NULL,
    -- When it happened.
    at         timestamptz NOT NULL,
    -- When the row was written: what is told within a day, and what is not.
    queued_at  timestamptz NOT NULL,
    -- A JSON object with what is not in the event: who, and which change.
    detail     text,
    PRIMARY KEY (webhook, partition, lane, position, seq)
);

-- What is sent in one call, fixed before the first attempt: each repeat has the same id and the same events.
CREATE TABLE webhook_batches (
    id         uuid        PRIMARY KEY,
    webhook    smallint    NOT NULL,
    partition  smallint    NOT NULL,
    lane       text        COLLATE "C" NOT NULL,
    -- Of the rows of the outbox that it took.
    seqs       bigint[]    NOT NULL,
    kinds      smallint[]  NOT NULL,
    times      timestamptz[] NOT NULL,
    details    text[]      NOT NULL,
    -- Of the oldest row.
    queued_at  timestamptz NOT NULL,
    attempts   integer     NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL,
    -- Why the last attempt failed: a status or the name of a fault.
    error      text,
    -- Given up: a dead letter.
    dead_at    timestamptz,
    -- A dead letter that is sent again, beside what its lane has now.
    replayed   boolean     NOT NULL DEFAULT false
) WITH (fillfactor = 70);

-- A lane has one batch at a time.
CREATE UNIQUE INDEX webhook_batches_lane ON webhook_batches (webhook, partition, lane) WHERE dead_at IS NULL AND NOT replayed;

CREATE INDEX webhook_batches_dead ON webhook_batches (dead_at, id) WHERE dead_at IS NOT NULL;

-- Messages of which it is to be seen whether their addressee came to see them.
CREATE TABLE webhook_unseen (
    partition    smallint    NOT NULL,
    due_at       timestamptz NOT NULL,
    conversation text        COLLATE "C" NOT NULL,
    seq          bigint      NOT NULL,
    member       text        COLLATE "C" NOT NULL,
    -- When the message was sent.
    at           timestamptz NOT NULL,
    PRIMARY KEY (conversation, seq, member)
);

CREATE INDEX webhook_unseen_due ON webhook_unseen (partition, due_at);

-- How far the stream of changes of presence is read: one row.
CREATE TABLE webhook_presence (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    position text    COLLATE "C" NOT NULL
);
