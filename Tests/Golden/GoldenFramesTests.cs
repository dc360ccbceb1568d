using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.Tests.Golden;

public sealed class GoldenFramesTests
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    };

    private static readonly Dictionary<string, Type> ServerFrameTypes = typeof(ServerFrame).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(ServerFrame)))
        .ToDictionary(type => type.Name[..^"Frame".Length].ToLowerInvariant());

    public static TheoryData<string> ClientFrames => GoldenSet.Names("frames", "client");

    public static TheoryData<string> ServerFrames => GoldenSet.Names("frames", "server");

    public static TheoryData<string> Events => GoldenSet.EventNames();

    public static TheoryData<string> EquivalentTexts => GoldenSet.Names("same", "client");

    public static TheoryData<string> InvalidTexts => GoldenSet.Names("invalid");

    [Theory]
    [MemberData(nameof(ClientFrames))]
    public void Every_client_frame_of_the_golden_set_is_read_whole(string name)
    {
        var golden = GoldenSet.Entry("frames", name, "client")["frame"]!.AsObject();

        Assert.True(ClientFrameReader.TryRead(GoldenSet.Utf8(golden), new FrameLimits(), out var frame, out var error), error?.Message);

        AssertSame(golden, ToJson(frame, golden));
    }

    [Theory]
    [MemberData(nameof(EquivalentTexts))]
    public void Texts_that_mean_the_same_are_read_the_same(string name)
    {
        var entry = GoldenSet.Entry("same", name);
        var golden = entry["frame"]!.AsObject();

        Assert.True(ClientFrameReader.TryRead(GoldenSet.TextOf(entry), new FrameLimits(), out var frame, out var error), error?.Message);

        AssertSame(golden, ToJson(frame, golden));
    }

    [Theory]
    [MemberData(nameof(InvalidTexts))]
    public void An_invalid_frame_is_refused_with_the_code_and_the_field_that_the_golden_set_names(string name)
    {
        var entry = GoldenSet.Entry("invalid", name);

        Assert.False(ClientFrameReader.TryRead(GoldenSet.TextOf(entry), new FrameLimits(), out _, out var error));

        var answer = JsonNode.Parse(ServerFrameCodec.Encode(ErrorFrame.Of(error)))!.AsObject();
        Assert.Equal("error", (string?)answer["type"]);
        foreach (var (field, expected) in entry["error"]!.AsObject())
        {
            Assert.True(JsonNode.DeepEquals(expected, answer[field]), $"{field}: expected {expected}, got {answer[field]}");
        }

        if (entry["names"] is { } named)
        {
            Assert.Contains((string)named!, (string)answer["message"]!, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(ServerFrames))]
    public void Every_server_frame_of_the_golden_set_can_be_made_exactly(string name)
    {
        var golden = GoldenSet.Entry("frames", name, "server")["frame"]!.AsObject();
        var type = (string)golden["type"]!;

        var encoded = golden.ContainsKey("id") && type != "ack"
            ? EventFrames.Encode(ReadEvent(golden), withNonce: golden.ContainsKey("nonce"))
            : ServerFrameCodec.Encode((ServerFrame)golden.Deserialize(ServerFrameTypes[type], Options)!);

        AssertSame(golden, JsonNode.Parse(encoded)!);
    }

    [Theory]
    [MemberData(nameof(Events))]
    public void Every_event_survives_the_log(string name)
    {
        var golden = GoldenSet.Entry("frames", name, "server")["frame"]!.AsObject();
        var e = ReadEvent(golden);

        var stored = LogRecordCodec.Decode(LogRecordCodec.Encode(e), e.Seq, e.Epoch);

        Assert.Equal(e, stored);
    }

    private static ConversationEvent ReadEvent(JsonObject frame)
    {
        Assert.True(Timestamps.TryParse((string?)frame["timestamp"], out var timestamp));
        var from = (string)frame["from"]!;
        return new ConversationEvent
        {
            Kind = Enum.Parse<EventKind>((string)frame["type"]!, ignoreCase: true),
            Conversation = frame["room"] is { } room ? ConversationKey.Room((string)room!) : ConversationKey.Direct(from, (string)frame["to"]!),
            Id = Guid.Parse((string)frame["id"]!),
            From = from,
            Name = (string?)frame["name"],
            Nonce = (string?)frame["nonce"] ?? "n",
            Content = (string?)frame["content"],
            Target = (long?)frame["target"] ?? 0,
            Emoji = (string?)frame["emoji"],
            Remove = (bool?)frame["remove"] ?? false,
            Timestamp = timestamp,
            Seq = (long)frame["seq"]!,
            Epoch = "k3v9",
        };
    }

    /// <summary>The fields that were read. Flags with their default appear only if the golden frame has them.</summary>
    private static JsonObject ToJson(ClientFrame frame, JsonObject golden)
    {
        var json = new JsonObject { ["type"] = frame.Type.ToString().ToLowerInvariant() };
        void Set(string name, JsonNode? value)
        {
            if (value is not null)
            {
                json[name] = value;
            }
        }
        Set("room", frame.Room);
        Set("to", frame.To);
        Set("content", frame.Content);
        Set("nonce", frame.Nonce);
        Set("ref", frame.Ref is null ? null : JsonNode.Parse(frame.Ref));
        Set("since", frame.Since);
        Set("epoch", frame.Epoch);
        Set("seq", frame.Seq);
        Set("target", frame.Target);
        Set("emoji", frame.Emoji);
        Set("token", frame.Token);
        Set("active", golden.ContainsKey("active") || !frame.Active ? frame.Active : null);
        Set("remove", golden.ContainsKey("remove") || frame.Remove ? frame.Remove : null);
        if (golden.ContainsKey("conversations") || frame.Conversations.Count > 0)
        {
            json["conversations"] = new JsonArray([.. frame.Conversations.Select(point =>
            {
                var entry = new JsonObject { ["since"] = point.Since };
                if (point.Room is not null) { entry["room"] = point.Room; } if (point.To is not null) { entry["to"] = point.To; } if (point.Epoch is not null) { entry["epoch"] = point.Epoch; } return entry;
            })]);
        }
        return json;
    }

    private static void AssertSame(JsonNode expected, JsonNode actual) =>
        Assert.True(JsonNode.DeepEquals(expected, actual), $"expected {expected.ToJsonString()}\ngot      {actual.ToJsonString()}");
}
