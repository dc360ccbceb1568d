using System.Text;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Log;
using AspireChat.RedisLog;

namespace AspireChat.Tests.RedisLog;

public sealed class EventReplayTests
{
    private const string Id = "01890a5d-ac96-774b-bcce-b302099a8057";

    private const string Body =
        $$"""
        E k3v9 7 {"type":"room","id":"{{Id}}","room":"lobby","from":"alice","content":"a\nb","timestamp":1767225600000,"nonce":"n7"}
        E k3v9 8 {"type":"react","id":"{{Id}}","room":"lobby","from":"alice","target":7,"emoji":"♥","timestamp":1767225600000,"nonce":"n8"}

        """;

    private static readonly ConversationEvent Message = new()
    {
        Kind = EventKind.Room,
        Conversation = ConversationKey.Room("lobby"),
        Id = Guid.Parse(Id),
        From = "alice",
        Nonce = "n7",
        Content = "a\nb",
        Timestamp = 1_767_225_600_000,
        Seq = 7,
        Epoch = "k3v9",
    };

    private static readonly ConversationEvent[] Events =
        [Message, Message with { Kind = EventKind.React, Nonce = "n8", Content = null, Target = 7, Emoji = "♥", Seq = 8 }];

    [Fact]
    public void An_event_is_a_line()
    {
        Assert.Equal(Body, string.Concat(Events.Select(e => Encoding.UTF8.GetString(EventReplay.EncodeLine(e)))));
        Assert.Equal(Events, EventReplay.Read(Encoding.UTF8.GetBytes(Body)));
        Assert.Equal([], EventReplay.Read(default));
    }

    [Theory]
    [InlineData("E k3v9 7 {}\n")]
    [InlineData("D r:lobby k3v9 7\n")]
    public void A_line_of_another_form_makes_the_whole_answer_unreadable(string line)
    {
        Assert.Null(EventReplay.Read(Encoding.UTF8.GetBytes(Body + line)));
        Assert.Null(EventReplay.Read(Encoding.UTF8.GetBytes(Body[..^1])));
    }
}
