using System.Buffers;

namespace AspireChat.Contracts;

/// <summary>The rule for the ids of rooms, and of nodes (protocol §2). Thread-safe: pure functions.</summary>
public static class RoomIds
{
    /// <summary>Longest id, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>The rule in words, for whoever broke it.</summary>
    public const string Rule = "1 to 64 characters of A-Z a-z 0-9 _ . - and not . or ..";

    internal const string Characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

    private static readonly SearchValues<char> Allowed = SearchValues.Create(Characters);

    /// <summary>
    /// True for 1–64 characters of <c>A-Z a-z 0-9 _ . -</c>, except <c>.</c> and <c>..</c>, which have a meaning in a URL path.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<char> id) =>
        !id.IsEmpty && id.Length <= MaxLength && id is not ("." or "..") && !id.ContainsAnyExcept(Allowed);
}
