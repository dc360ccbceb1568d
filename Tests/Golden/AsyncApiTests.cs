using System.Text.Json.Nodes;

namespace AspireChat.Tests.Golden;

/// <summary>docs/asyncapi.v1.json describes the frames of the golden set.</summary>
public sealed class AsyncApiTests
{
    private static readonly JsonObject Messages = Load();

    public static TheoryData<string, string> Frames
    {
        get
        {
            var frames = new TheoryData<string, string>();
            foreach (var entry in SocketFrames())
            {
                frames.Add((string)entry["direction"]!, (string)entry["name"]!);
            }

            return frames;
        }
    }

    [Theory]
    [MemberData(nameof(Frames))]
    public void Every_golden_frame_is_described_with_its_fields_and_what_is_required_of_it(string direction, string name)
    {
        var entry = GoldenSet.Entry("frames", name, direction);
        var frame = entry["frame"]!.AsObject();
        var optional = entry["optional"]!.AsArray().Select(field => (string)field!).ToHashSet();
        var schema = Messages[$"{direction}.{(string?)frame["type"]}"]?["payload"]?.AsObject();

        Assert.NotNull(schema);
        var described = schema["properties"]!.AsObject().Select(property => property.Key).ToHashSet();
        var required = schema["required"]!.AsArray().Select(field => (string)field!).ToHashSet();
        Assert.Subset(described, frame.Select(field => field.Key).ToHashSet());
        Assert.Subset(frame.Select(field => field.Key).ToHashSet(), required);
        Assert.Empty(required.Intersect(optional));
    }

    [Fact]
    public void Every_described_frame_is_in_the_golden_set()
    {
        var golden = SocketFrames().Select(entry => $"{(string?)entry["direction"]}.{(string?)entry["frame"]!["type"]}").ToHashSet();

        Assert.Equal(Messages.Select(message => message.Key).Order(), golden.Order());
    }

    private static IEnumerable<JsonObject> SocketFrames() =>
        GoldenSet.Entries("frames").Where(entry => (string?)entry["direction"] is "client" or "server");

    private static JsonObject Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, "Golden", "asyncapi.v1.json");
        return JsonNode.Parse(File.ReadAllText(path))!["components"]!["messages"]!.AsObject();
    }
}
