using System.Text.Json;
using System.Text.Json.Nodes;
using AspireChat.Client;
using AspireChat.Client.Wire;
using AspireChat.Tests.Golden;

namespace AspireChat.Tests.Client;

public sealed class GoldenClientTests
{
    public static TheoryData<string> ServerFrames => GoldenSet.Names("frames", "server");

    public static TheoryData<string> ClientFrameNames => GoldenSet.Names("frames", "client");

    public static TheoryData<string> Bodies => GoldenSet.Names("frames", "http");

    public static TheoryData<string> EquivalentTexts => GoldenSet.Names("same", "server");

    [Theory]
    [MemberData(nameof(ServerFrames))]
    public void Every_server_frame_of_the_golden_set_is_read_whole(string name)
    {
        var golden = GoldenSet.Entry("frames", name, "server")["frame"]!;

        Assert.True(ServerFrameReader.TryRead(GoldenSet.Utf8(golden), out var frame, out var problem), problem);

        AssertSame(golden, JsonSerializer.SerializeToNode(frame, WireContext.Default.WireFrame)!);
        if (ServerFrameReader.IsEvent(frame))
        {
            AssertSame(golden.AsObject(), ServerFrameReader.ToEvent(frame, ServerFrameReader.PlaceOf(frame, "alice"), "e"));
        }
    }

    [Theory]
    [MemberData(nameof(ServerFrames))]
    public void A_server_frame_without_a_required_field_is_refused_and_without_an_optional_one_read(string name)
    {
        var entry = GoldenSet.Entry("frames", name, "server");
        var golden = entry["frame"]!.AsObject();
        var optional = entry["optional"]!.AsArray().Select(field => (string)field!).ToHashSet();
        // This client does not use the field, so it does not demand it.
        optional.UnionWith((string)golden["type"]! switch { "welcome" => ["connection", "node"],
            "error" => ["message", "nonce", "ref", "retryAfter"], _ => [] });

        foreach (var field in golden.Select(field => field.Key).ToList())
        {
            var without = golden.DeepClone().AsObject();
            without.Remove(field);
            var isRead = ServerFrameReader.TryRead(GoldenSet.Utf8(without), out _, out _);
            Assert.True(isRead == (optional.Contains(field) || field == "ref"), $"without {field}: {(isRead ? "read" : "refused")}");
        }
    }

    [Theory]
    [MemberData(nameof(EquivalentTexts))]
    public void Texts_that_mean_the_same_are_read_the_same(string name)
    {
        var entry = GoldenSet.Entry("same", name, "server");

        Assert.True(ServerFrameReader.TryRead(GoldenSet.TextOf(entry), out var frame, out var problem), problem);

        var read = JsonSerializer.SerializeToNode(frame, WireContext.Default.WireFrame)!;
        if ((string)read["type"]! == "ack")
        {
            read["duplicate"] ??= false;
        }

        AssertSame(entry["frame"]!, read);
    }

    [Theory]
    [MemberData(nameof(ClientFrameNames))]
    public void Every_client_frame_of_the_golden_set_can_be_made_exactly(string name)
    {
        var golden = GoldenSet.Entry("frames", name, "client")["frame"]!.AsObject();

        if (Make(golden) is not { } made)
        {
            return;
        }

        AssertSame(golden, JsonNode.Parse(made)!);
    }

    [Theory]
    [MemberData(nameof(Bodies))]
    public void Every_http_body_of_the_golden_set_is_read_whole(string name)
    {
        var golden = GoldenSet.Entry("frames", name, "http")["frame"]!.AsObject();

        var read = golden.ContainsKey("epoch")
            ? JsonSerializer.SerializeToNode(golden.Deserialize(WireContext.Default.WirePage), WireContext.Default.WirePage)
            : JsonSerializer.SerializeToNode(golden.Deserialize(WireContext.Default.WireOverviews), WireContext.Default.WireOverviews);

        if (golden.ContainsKey("next") && golden["next"] is null)
        {
            golden.Remove("next");
        }

        AssertSame(golden, read!);
        foreach (var item in golden["items"]!.AsArray().Where(item => item!["id"] is not null))
        {
            var frame = item.Deserialize(WireContext.Default.WireFrame)!;
            Assert.Null(ServerFrameReader.Problem(frame));
            AssertSame(item!.AsObject(), ServerFrameReader.ToEvent(frame, ServerFrameReader.PlaceOf(frame, "alice"), "e"));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"type\":\"durable\",\"room\":\"lobby\"")]
    [InlineData("{\"type\":\"durable\",\"room\":\"no room\",\"seq\":1}")]
    [InlineData("{\"type\":\"durable\",\"seq\":1}")]
    [InlineData("{\"type\":\"durable\",\"room\":\"lobby\",\"seq\":\"1\"}")]
    [InlineData("{\"room\":\"lobby\"}")]
    public void A_text_that_is_no_frame_is_refused_with_a_reason(string text)
    {
        Assert.False(ServerFrameReader.TryRead(System.Text.Encoding.UTF8.GetBytes(text), out _, out var problem));
        Assert.NotEmpty(problem);
    }

    /// <summary>Null for a frame that this client never sends.</summary>
    private static byte[]? Make(JsonObject f)
    {
        var place = f["room"] is { } room ? Conversation.Room((string)room!) : f["to"] is { } to ? Conversation.With((string)to!) : default;
        var nonce = (string?)f["nonce"] ?? "";
        return (string)f["type"]! switch
        {
            "join" => f["ref"] is null ? null : ClientFrames.Join(place.RoomId!, CursorOf(f), (string)f["ref"]!),
            "leave" => ClientFrames.Leave(place.RoomId!, (string)f["ref"]!),
            "room" or "dm" => ClientFrames.Message(place, (string)f["content"]!, nonce, OptionsOf(f)),
            "edit" => ClientFrames.Edit(place, (long)f["target"]!, (string)f["content"]!, nonce, OptionsOf(f)),
            "signal" => ClientFrames.Signal(place, (string)f["name"]!, f["data"]?.ToJsonString()),
            "delete" => ClientFrames.Delete(place, (long)f["target"]!, nonce),
            "react" => ClientFrames.React(place, (long)f["target"]!, (string)f["emoji"]!, (bool?)f["remove"] ?? false, nonce),
            "typing" => ClientFrames.Typing(place, (bool)f["active"]!),
            "read" => ClientFrames.Read(place, (long)f["seq"]!),
            "resume" => ClientFrames.Resume(
                f["conversations"]!.AsArray().Select(c => (
                    c!["room"] is { } r ? Conversation.Room((string)r!) : Conversation.With((string)c["to"]!),
                        CursorOf(c.AsObject())!.Value)),
                (string)f["ref"]!),
            "auth" => ClientFrames.Auth((string)f["token"]!),
            "ping" => ClientFrames.Ping((string)f["ref"]!),
            var type => throw new InvalidOperationException($"The golden set has a frame that this test does not know: {type}"),
        };
    }

    private static ChatMessageOptions OptionsOf(JsonObject f) => new()
    {
        ReplyTo = (long?)f["replyTo"],
        Mentions = f["mentions"]?.AsArray().Select(user => (string)user!).ToList(),
        Meta = f["meta"]?.ToJsonString(),
    };

    private static ConversationCursor? CursorOf(JsonObject f) => f["since"] is { } since ? new ConversationCursor((long)since!, (string?)f["epoch"]) : null;

    private static void AssertSame(JsonObject golden, ChatEvent e)
    {
        Assert.Equal(((string?)golden["id"], (long?)golden["seq"], (string?)golden["from"], (string?)golden["nonce"]),
            (e.Id, e.Seq, e.From, e.Nonce));
        Assert.Equal((string?)golden["timestamp"],
            e.Timestamp.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((string?)golden["room"], e.Conversation.RoomId);
        if (golden["room"] is null)
        {
            Assert.Equal("alice" == e.From ? (string?)golden["to"] : e.From, e.Conversation.User);
        }

        switch (e)
        {
            case MessageSent message:
                Assert.Contains((string?)golden["type"], (string?[])["room", "dm"]);
                Assert.Equal(((string?)golden["content"], (bool?)golden["deleted"] ?? false, (long?)golden["edited"] ?? 0),
                    (message.Content, message.Deleted, message.Edited));
                Assert.Equal((golden["reactions"] as JsonArray ?? []).Select(r => (string?)r!["emoji"]),
                    message.Reactions.Select(r => r.Emoji));
                Assert.Equal((long?)golden["replyTo"] ?? 0, message.ReplyTo);
                Assert.Equal((golden["mentions"] as JsonArray ?? []).Select(user => (string)user!), message.Mentions);
                Assert.True(JsonNode.DeepEquals(golden["meta"], message.Meta is null ? null : JsonNode.Parse(message.Meta)));
                break;
            case MessageEdited edit:
                Assert.Equal(("edit", (long?)golden["target"], (string?)golden["content"]),
                    ((string?)golden["type"], edit.Target, edit.Content));
                break;
            case MessageDeleted delete:
                Assert.Equal(("delete", (long?)golden["target"]), ((string?)golden["type"], delete.Target));
                break;
            case MessageReacted reaction:
                Assert.Equal(("react", (long?)golden["target"], (string?)golden["emoji"], (bool?)golden["remove"] ?? false),
                    ((string?)golden["type"], reaction.Target, reaction.Emoji, reaction.Removed));
                break;
        }
    }

    private static void AssertSame(JsonNode expected, JsonNode actual) =>
        Assert.True(JsonNode.DeepEquals(expected, actual), $"expected {expected.ToJsonString()}\ngot      {actual.ToJsonString()}");
}
