-- Rooms from before there were roles are public, and whoever has been a member for longest is the owner. Where nobody is left, whoever was
-- there first keeps the place: who joins next is the owner. Apart from the step that adds the columns, whose lock would last until all rows are
-- written: here only one row of each room is locked, in the order in which members are always written.
INSERT INTO rooms (conversation, visibility, sending, plain, created_at, changed)
SELECT conversation, 0, 0, true, min(joined_at), 0 FROM members WHERE conversation LIKE 'r:%' GROUP BY conversation
ON CONFLICT DO NOTHING;

WITH firsts AS MATERIALIZED (
    SELECT DISTINCT ON (conversation) conversation, member
    FROM members WHERE conversation LIKE 'r:%' AND role >= 0
    ORDER BY conversation, joined DESC, joined_at, member),
locked AS MATERIALIZED (
    SELECT m.conversation, m.member FROM members m JOIN firsts f ON f.conversation = m.conversation AND f.member = m.member
    WHERE NOT EXISTS (SELECT FROM members o WHERE o.conversation = m.conversation AND o.role > 0)
        AND (SELECT r.changed FROM rooms r WHERE r.conversation = m.conversation) = 0
    ORDER BY m.conversation, m.member FOR UPDATE OF m)
UPDATE members m SET role = 2 FROM locked l WHERE m.conversation = l.conversation AND m.member = l.member;
