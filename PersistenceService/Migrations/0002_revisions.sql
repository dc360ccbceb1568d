-- What is asked of a message's later events is found at once, however many there are. Each index holds the events of its kind only.

-- The last edit.
CREATE INDEX events_edits ON events (conversation, target, seq) WHERE kind = 2;

-- The deletion.
CREATE INDEX events_deletions ON events (conversation, target) WHERE kind = 3;

-- Who reacted with what, in the order in which history counts it.
CREATE INDEX events_reactions ON events (conversation, target, emoji, sender, seq) INCLUDE (removes) WHERE kind = 4;
