using System.Globalization;
using System.Text;
using AspireChat.Contracts;

namespace AspireChat.Client.Api;

/// <summary>What may be done again although nobody knows whether it was done.</summary>
internal enum Repeat
{
    /// <summary>Doing it twice is as doing it once.</summary>
    Harmless,

    /// <summary>Only what the server refused to do (429).</summary>
    WhenRefused,
}

/// <summary>One call of the HTTP API: what is asked, and whether it may be asked again. Immutable.</summary>
/// <param name="Path">From the gateway's address on, with the query, percent-encoded.</param>
/// <param name="Body">JSON; null: none.</param>
/// <param name="Removes">A 404 after an attempt without an answer means that this attempt has removed it. The call has no answer of its own.</param>
internal sealed record ApiCall(
    HttpMethod Method, string Path, byte[]? Body = null, Repeat Repeat = Repeat.Harmless, bool Removes = false)
{
    public static ApiCall Get(string path) => new(HttpMethod.Get, path);

    public static ApiCall Put(string path, byte[] body) => new(HttpMethod.Put, path, body);

    public static ApiCall Patch(string path, byte[] body) => new(HttpMethod.Patch, path, body);

    public static ApiCall Delete(string path) => new(HttpMethod.Delete, path, Removes: true);

    public static ApiCall Post(string path, byte[]? body = null, Repeat repeat = Repeat.Harmless) => new(HttpMethod.Post, path, body, repeat);
}

/// <summary>Builds paths of calls. Thread-safe: pure functions.</summary>
internal static class ApiPath
{
    /// <summary>Most items of a page.</summary>
    public const int LargestPage = 200;

    /// <summary>The id as it stands in a path.</summary>
    /// <exception cref="ArgumentException">It is no id of a room.</exception>
    public static string Room(string room) => RoomIds.IsValid(room)
        ? room
        : throw new ArgumentException($"The id must be {RoomIds.Rule}.", nameof(room));

    /// <inheritdoc cref="Room"/>
    public static string User(string user) => UserIds.IsValid(user)
        ? Uri.EscapeDataString(user)
        : throw new ArgumentException($"The id must be {UserIds.Rule}.", nameof(user));

    /// <summary>The path with those of the parameters that have a value.</summary>
    public static string With(string path, params (string Name, string? Value)[] parameters)
    {
        var text = new StringBuilder(path);
        foreach (var (name, value) in parameters)
        {
            if (value is not null)
            {
                text.Append(text.Length == path.Length ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
            }
        }
        return text.ToString();
    }

    /// <exception cref="ArgumentOutOfRangeException">It is not 1–200.</exception>
    public static string? Limit(int? limit)
    {
        if (limit is not { } count)
        {
            return null;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(limit));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, LargestPage, nameof(limit));
        return count.ToString(CultureInfo.InvariantCulture);
    }
}
