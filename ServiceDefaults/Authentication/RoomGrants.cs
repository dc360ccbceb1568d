using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using AspireChat.Contracts;

namespace AspireChat.ServiceDefaults;

/// <summary>What a token allows in a room.</summary>
[Flags]
public enum RoomRights
{
    None = 0,
    Read = 1,
    Join = 2,
    Send = 4,
    Moderate = 8,
}

/// <summary>
/// The claim <c>rooms</c> of a token: a map from a room id, or a prefix ending in <c>*</c>, to a list of <c>read</c>, <c>join</c>,
/// <c>send</c> and <c>moderate</c>. A token that has it allows in rooms what it grants and no more. Immutable.
/// </summary>
public sealed class RoomGrants
{
    /// <summary>The claim's name.</summary>
    public const string Claim = "rooms";

    /// <summary>Most entries. A look-up walks all prefixes.</summary>
    public const int MostEntries = 500;

    /// <summary>Most characters of JSON. A token must fit into the head of a request.</summary>
    public const int MostCharacters = 16 * 1_024;

    private readonly Dictionary<string, RoomRights> _rooms = new(StringComparer.Ordinal);
    private readonly List<(string Prefix, RoomRights Rights)> _prefixes = [];

    private RoomGrants(string json) => Json = json;

    /// <summary>The claim as the token had it.</summary>
    public string Json { get; }

    /// <summary>What is granted for the room: the union of all entries that match.</summary>
    public RoomRights For(string room)
    {
        var rights = _rooms.GetValueOrDefault(room);
        foreach (var (prefix, granted) in _prefixes)
        {
            if (room.StartsWith(prefix, StringComparison.Ordinal))
            {
                rights |= granted;
            }
        }
        return rights;
    }

    /// <summary>The rooms in which a right is granted: ids, and beginnings of ids that end in <c>*</c>.</summary>
    public IReadOnlyList<string> With(RoomRights right) =>
    [
        .. _rooms.Where(room => room.Value.HasFlag(right)).Select(room => room.Key),
        .. _prefixes.Where(prefix => prefix.Rights.HasFlag(right)).Select(prefix => prefix.Prefix + "*"),
    ];

    /// <summary>Reads the claim. False when it has another form, an unknown right, or is larger than the bounds.</summary>
    public static bool TryParse(string json, [NotNullWhen(true)] out RoomGrants? grants)
    {
        grants = null;
        if (json.Length > MostCharacters)
        {
            return false;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            var parsed = new RoomGrants(json);
            if (!parsed.TryAdd(document.RootElement))
            {
                return false;
            }

            grants = parsed;
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // An escaped lone surrogate is found only when the text is read.
            return false;
        }
    }

    private bool TryAdd(JsonElement map)
    {
        if (map.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        var entries = 0;
        foreach (var entry in map.EnumerateObject())
        {
            if (++entries > MostEntries || !TryRead(entry.Value, out var rights) || !TryAdd(entry.Name, rights))
            {
                return false;
            }
        }
        return true;
    }

    private bool TryAdd(string name, RoomRights rights)
    {
        if (name.EndsWith('*'))
        {
            var prefix = name[..^1];
            _prefixes.Add((prefix, rights));
            return prefix is "" or "." or ".." || RoomIds.IsValid(prefix);
        }

        _rooms[name] = _rooms.GetValueOrDefault(name) | rights;
        return RoomIds.IsValid(name);
    }

    private static bool TryRead(JsonElement list, out RoomRights rights)
    {
        rights = RoomRights.None;
        if (list.ValueKind != JsonValueKind.Array)
        {
            return false;
        }

        foreach (var item in list.EnumerateArray())
        {
            RoomRights? right = item.ValueKind != JsonValueKind.String ? null : item.GetString() switch
            {
                "read" => RoomRights.Read,
                "join" => RoomRights.Join,
                "send" => RoomRights.Send,
                "moderate" => RoomRights.Moderate,
                _ => null,
            };
            if (right is null)
            {
                return false;
            }

            rights |= right.Value;
        }
        return true;
    }
}
