using System.Globalization;
using System.Text;

namespace AspireChat.Contracts;

/// <summary>How a user is shown (product §1). At least one of both is there. Immutable.</summary>
/// <param name="Name">At most <see cref="LongestName"/> characters; null: none.</param>
/// <param name="Picture">An https URL of at most <see cref="LongestPicture"/> characters; null: none.</param>
public sealed record UserProfile(string? Name, string? Picture)
{
    /// <summary>In UTF-16 code units, like content.</summary>
    public const int LongestName = 100;

    public const int LongestPicture = 500;

    /// <summary>A profile from a source that cannot be answered, such as a token: a long name is cut, a bad picture left out.</summary>
    /// <returns>Null when nothing is left.</returns>
    public static UserProfile? From(string? name, string? picture)
    {
        name = name is null ? null : Cut(Cleaned(name));
        picture = IsPicture(picture) ? picture : null;
        return string.IsNullOrEmpty(name) && picture is null ? null : new UserProfile(string.IsNullOrEmpty(name) ? null : name, picture);
    }

    /// <summary>True for a name that is taken as it is.</summary>
    public static bool IsName(string? name) => name is { Length: > 0 and <= LongestName } && Cleaned(name) == name;

    /// <summary>True for an absolute https URL without credentials that is not too long.</summary>
    public static bool IsPicture(string? picture) =>
        picture is { Length: > 0 and <= LongestPicture }
        && !picture.AsSpan().ContainsAnyExceptInRange('!', '~')
        && Uri.TryCreate(picture, UriKind.Absolute, out var address)
        && address.Scheme == Uri.UriSchemeHttps
        && address.UserInfo.Length == 0;

    /// <summary>Without what cannot be shown or stored: control characters and lone surrogates.</summary>
    private static string Cleaned(string name)
    {
        var text = new StringBuilder(name.Length);
        foreach (var rune in name.EnumerateRunes())
        {
            // A lone surrogate is read as the replacement character.
            if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.Control && rune != Rune.ReplacementChar)
            {
                text.Append(rune.ToString());
            }
        }
        return text.ToString().Trim();
    }

    private static string Cut(string name)
    {
        if (name.Length <= LongestName)
        {
            return name;
        }

        // Not through a surrogate pair.
        var length = char.IsHighSurrogate(name[LongestName - 1]) ? LongestName - 1 : LongestName;
        return name[..length].TrimEnd();
    }
}
