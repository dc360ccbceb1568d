using System.Globalization;
using AspireChat.Contracts.Log;

namespace AspireChat.RedisLog;

/// <summary>
/// A committed event that an edit, delete or reaction refers to: the body of <c>GET /internal/targets</c>, by which PersistenceService tells
/// a node what append.lua cannot see in the tail. One line: kind, sender, deleted, edits, emojis, known, with a space between them.
/// </summary>
/// <param name="Edits">How many edits it has; no more than <see cref="MostCounted"/> are counted.</param>
/// <param name="Emojis">How many different emojis it was given; counted likewise.</param>
/// <param name="KnowsEmoji">The emoji that was asked for is among them.</param>
public sealed record RevisionTarget(EventKind Kind, string From, bool Deleted, int Edits, int Emojis, bool KnowsEmoji)
{
    /// <summary>As far as any bound may be set.</summary>
    public const int MostCounted = 1_000;

    public string Encode() => string.Create(
        CultureInfo.InvariantCulture, $"{(int)Kind} {From} {(Deleted ? 1 : 0)} {Edits} {Emojis} {(KnowsEmoji ? 1 : 0)}");

    /// <summary>Null when the line has another form.</summary>
    public static RevisionTarget? Read(string line) =>
        line.Split(' ') is [var kind, var from, var deleted, var edits, var emojis, var knows]
            && int.TryParse(kind, NumberStyles.None, CultureInfo.InvariantCulture, out var kindNumber)
            && int.TryParse(edits, NumberStyles.None, CultureInfo.InvariantCulture, out var editCount)
            && int.TryParse(emojis, NumberStyles.None, CultureInfo.InvariantCulture, out var emojiCount)
            ? new RevisionTarget((EventKind)kindNumber, from, deleted == "1", editCount, emojiCount, knows == "1")
            : null;
}
