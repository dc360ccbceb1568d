-- What a message carries beside its text: the seq that it replies to, the users that it mentions (with a space between them; an edit's empty
-- text says that there are none), and a product's JSON. Most have none of it.
ALTER TABLE events
    ADD COLUMN reply_to bigint,
    ADD COLUMN mentions text COLLATE "C",
    ADD COLUMN meta     text;

-- The newest message that is not deleted. The list of a user's conversations is ordered by it.
ALTER TABLE conversations
    ADD COLUMN last_message bigint,
    ADD COLUMN messaged_at  timestamptz;

UPDATE conversations c SET last_message = m.seq, messaged_at = m.created_at
FROM (
    SELECT DISTINCT ON (conversation) conversation, seq, created_at FROM events
    WHERE kind IN (0, 1) AND deleted IS NULL ORDER BY conversation, seq DESC) m
WHERE m.conversation = c.conversation;

-- Whom the messages mention as they read now, but for their own senders: what is unread of them is counted in one range.
CREATE TABLE mentions (
    member       text   COLLATE "C" NOT NULL,
    conversation text   COLLATE "C" NOT NULL,
    seq          bigint NOT NULL,
    PRIMARY KEY (member, conversation, seq)
);

CREATE INDEX mentions_of ON mentions (conversation, seq);

-- The words of the messages as they read now. It follows events a moment later, so that it costs their writer nothing.
CREATE TABLE search (
    conversation text        COLLATE "C" NOT NULL,
    seq          bigint      NOT NULL,
    created_at   timestamptz NOT NULL,
    -- Beside the words, '=conversation' and '@sender', so that one look into the index narrows to them too.
    words        tsvector    NOT NULL,
    PRIMARY KEY (conversation, seq)
);

CREATE INDEX search_newest ON search (created_at, conversation, seq);

-- A query reads the pending list from end to end, so it stays short.
CREATE INDEX search_words ON search USING gin (words) WITH (gin_pending_list_limit = 512);

-- How far each conversation's events are in search.
CREATE TABLE search_marks (
    conversation text   COLLATE "C" PRIMARY KEY,
    seq          bigint NOT NULL
) WITH (fillfactor = 70);
