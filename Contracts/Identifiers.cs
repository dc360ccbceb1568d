namespace AspireChat.Contracts;

/// <summary>The one rule for user ids and room ids (protocol §2). Thread-safe: pure functions.</summary>
public static class Identifiers
{
    /// <summary>Longest identifier, in characters.</summary>
    public const int MaxLength = 64;

    /// <summary>
    /// True for 1–64 characters of <c>A-Z a-z 0-9 _ . -</c>, except <c>.</c> and <c>..</c>, which have a meaning in a URL path.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<char> id)
    {
        if (id.IsEmpty || id.Length > MaxLength || id is "." or "..")
        {
            return false;
        }

        foreach (var c in id)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '.' or '-'))
            {
                return false;
            }
        }
        return true;
    }
}
