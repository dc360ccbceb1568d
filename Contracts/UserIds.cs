using System.Buffers;

namespace AspireChat.Contracts;

/// <summary>
/// The rule for the ids of users (product §1): wide enough for <c>auth0|64f…</c>, an e-mail address or a URN. Whatever joins a user id to
/// something else in a key, a channel or a message needs a separator that is not among these characters: a space, <c>/</c> or <c>*</c>.
/// Thread-safe: pure functions.
/// </summary>
public static class UserIds
{
    /// <summary>Longest id, in characters.</summary>
    public const int MaxLength = 128;

    /// <summary>The sender of what the server itself writes. No client may call themselves so, and nobody can write to it.</summary>
    public const string System = "system";

    /// <summary>The rule in words, for whoever broke it.</summary>
    public const string Rule = "1 to 128 characters of A-Z a-z 0-9 _ . - @ | : + = ~ and not . or .. or system";

    internal const string Characters = RoomIds.Characters + "@|:+=~";

    private static readonly SearchValues<char> Allowed = SearchValues.Create(Characters);

    /// <summary>True for an id that a user may have.</summary>
    public static bool IsValid(ReadOnlySpan<char> id) => IsSender(id) && id is not System;

    /// <summary>True for an id that may stand in an event: a user's, or <see cref="System"/>.</summary>
    public static bool IsSender(ReadOnlySpan<char> id) =>
        !id.IsEmpty && id.Length <= MaxLength && id is not ("." or "..") && !id.ContainsAnyExcept(Allowed);
}
