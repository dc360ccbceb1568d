using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AspireChat.Contracts.Frames;

/// <summary>A <see cref="UserProfile"/> as JSON, <c>{"name","picture"}</c>, in frames, answers and Redis alike. Thread-safe.</summary>
public static class ProfileJson
{
    private static readonly ProfileContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>One line; empty without a profile.</summary>
    public static string Encode(UserProfile? profile) => profile is null ? "" : JsonSerializer.Serialize(profile, Context.UserProfile);

    /// <summary>Null for an empty text, and for one that is no profile.</summary>
    public static UserProfile? Decode(string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(json, Context.UserProfile) is { } read && (read.Name ?? read.Picture) is not null ? read : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSerializable(typeof(UserProfile))]
internal sealed partial class ProfileContext : JsonSerializerContext;
