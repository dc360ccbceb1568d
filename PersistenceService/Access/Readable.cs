namespace AspireChat.PersistenceService.Access;

/// <summary>
/// Which conversations a user may read, as a condition of SQL: the one place that says it for lists and for search. Direct conversations are
/// their two users'. A room is readable for its members, and for anybody while it is public, but never once it is deleted and never for who is
/// banned there. A token that names rooms decides instead of membership and visibility.
/// </summary>
internal static class Readable
{
    /// <summary>The condition. Each argument is an expression of SQL and may stand in it several times: a column, or a parameter.</summary>
    /// <param name="conversation">The conversation's stored key.</param>
    /// <param name="caller">The user's id.</param>
    /// <param name="grants">
    /// A list of text: the rooms that the caller's token lets them read, as ids, and as beginnings of ids that end in <c>*</c>. Null: the token
    /// names none, and the rooms' own rules decide.
    /// </param>
    public static string Sql(string conversation, string caller, string grants) => $"""
        (CASE WHEN left({conversation}, 2) = 'r:' THEN
            NOT EXISTS (SELECT FROM rooms r WHERE r.conversation = {conversation}
                AND (r.deleted OR ({grants}::text[] IS NULL AND r.visibility <> 0 AND NOT EXISTS (
                    SELECT FROM members m WHERE m.conversation = {conversation} AND m.member = {caller} AND m.joined))))
            AND NOT EXISTS (SELECT FROM restrictions x WHERE x.conversation = {conversation} AND x.member = {caller}
                AND x.kind = 0 AND x.active AND (x.until IS NULL OR x.until > now()))
            AND ({grants}::text[] IS NULL OR EXISTS (SELECT FROM unnest({grants}::text[]) AS g (name)
                WHERE CASE WHEN right(g.name, 1) = '*' THEN starts_with(substr({conversation}, 3), left(g.name, -1))
                    ELSE substr({conversation}, 3) = g.name END))
        ELSE EXISTS (SELECT FROM members m WHERE m.conversation = {conversation} AND m.member = {caller} AND m.joined) END)
        """;
}
