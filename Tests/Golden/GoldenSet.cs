using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AspireChat.Tests.Golden;

/// <summary>frames.json, the golden set for both the C# and the browser code. Its header says what each part means.</summary>
internal static class GoldenSet
{
    private static readonly JsonObject Set = Load();

    /// <summary>The frames of one direction by name. xunit shows the name, and the test looks up the frame.</summary>
    public static TheoryData<string> Names(string part, string? direction = null)
    {
        var names = new TheoryData<string>();
        foreach (var entry in Entries(part).Where(entry => direction is null || (string?)entry["direction"] == direction))
        {
            names.Add((string)entry["name"]!);
        }

        return names;
    }

    /// <summary>The server frames that are events of a conversation and are stored.</summary>
    public static TheoryData<string> EventNames()
    {
        var names = new TheoryData<string>();
        foreach (var entry in Entries("frames").Where(entry => (string?)entry["direction"] == "server"))
        {
            if ((string?)entry["frame"]!["type"] is "room" or "dm" or "edit" or "delete" or "react")
            {
                names.Add((string)entry["name"]!);
            }
        }
        return names;
    }

    public static JsonObject Entry(string part, string name, string? direction = null) =>
        Entries(part).Single(entry => (string?)entry["name"] == name && (direction is null || (string?)entry["direction"] == direction));

    public static byte[] Utf8(JsonNode node) => JsonSerializer.SerializeToUtf8Bytes(node);

    /// <summary>An entry's text: its <c>text</c>, or its <c>parts</c> with their repetitions joined.</summary>
    public static byte[] TextOf(JsonObject entry)
    {
        if (entry["text"] is { } text)
        {
            return Encoding.UTF8.GetBytes((string)text!);
        }

        var whole = new StringBuilder();
        foreach (var part in entry["parts"]!.AsArray())
        {
            if (part is JsonArray repeated)
            {
                whole.Insert(whole.Length, (string)repeated[0]!, (int)repeated[1]!);
            }
            else
            {
                whole.Append((string)part!);
            }
        }
        return Encoding.UTF8.GetBytes(whole.ToString());
    }

    public static IEnumerable<JsonObject> Entries(string part) => Set[part]!.AsArray().Select(entry => entry!.AsObject());

    private static JsonObject Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Golden", "frames.json");
        return JsonNode.Parse(File.ReadAllText(path))!.AsObject();
    }
}
