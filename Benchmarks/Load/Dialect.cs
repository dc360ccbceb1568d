using System.Text;
using AspireChat.WebSockets;

namespace AspireChat.Benchmarks.Load;

/// <summary>What a text from the server means to the load generator.</summary>
internal enum Notice
{
    Other,
    Welcome,
    Joined,
    Failed,
}

/// <summary>The protocol of one system's clients. Immutable.</summary>
internal abstract class Dialect
{
    /// <summary>The target of the handshake.</summary>
    /// <param name="room">The room that the user is going to join; empty when it joins none or another.</param>
    public abstract string Path(string user, string room);

    public virtual string Headers(string token) => "";

    /// <summary>The server says nothing after its handshake, and the path has named the room: there is no welcome and no join.</summary>
    public virtual bool JoinsByPath => false;

    /// <summary>The client's first frame, or nothing.</summary>
    public virtual byte[]? Greeting => null;

    /// <summary>The frame that the client must send every 15 s to stay connected, or nothing.</summary>
    public virtual byte[]? KeepAlive => null;

    public abstract byte[] Join(string room);

    /// <summary>A message. Each send overwrites <paramref name="content"/> and, in dialects that have one, the nonce.</summary>
    public abstract byte[] Message(bool isDirect, string target, string content, string nonce);

    public abstract Notice NoticeOf(ReadOnlySpan<byte> text);

    /// <summary>A client's text message. A masking key of zero leaves the text as it is and costs the server the same.</summary>
    public static byte[] Frame(string text) => MaskedFrame.Encode(FrameHeader.Text, Encoding.UTF8.GetBytes(text), key: 0);
}

internal sealed class AspireChatDialect : Dialect
{
    public override string Path(string user, string room) => "/ws";

    public override string Headers(string token) => $"Authorization: Bearer {token}\r\n";

    public override byte[] Join(string room) => Frame($$"""{"type":"join","room":"{{room}}"}""");

    public override byte[] Message(bool isDirect, string target, string content, string nonce) => Frame(isDirect
        ? $$"""{"type":"dm","to":"{{target}}","content":"{{content}}","nonce":"{{nonce}}"}"""
        : $$"""{"type":"room","room":"{{target}}","content":"{{content}}","nonce":"{{nonce}}"}""");

    public override Notice NoticeOf(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("{\"type\":\"joined\""u8))
        {
            return Notice.Joined;
        }

        if (text.StartsWith("{\"type\":\"welcome\""u8))
        {
            return Notice.Welcome;
        }

        return text.StartsWith("{\"type\":\"error\""u8) ? Notice.Failed : Notice.Other;
    }
}

internal sealed class SignalRDialect : Dialect
{
    public override byte[]? Greeting { get; } = Frame("{\"protocol\":\"json\",\"version\":1}\u001e");

    public override byte[]? KeepAlive { get; } = Frame("{\"type\":6}\u001e");

    public override string Path(string user, string room) => $"/chat?user={user}";

    public override byte[] Join(string room) =>
        Frame("{\"type\":1,\"invocationId\":\"1\",\"target\":\"Join\",\"arguments\":[\"" + room + "\"]}\u001e");

    public override byte[] Message(bool isDirect, string target, string content, string nonce) =>
        Frame($"{{\"type\":1,\"target\":\"{(isDirect ? "Dm" : "Room")}\",\"arguments\":[\"{target}\",\"{content}\"]}}\u001e");

    public override Notice NoticeOf(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("{}"u8))
        {
            return Notice.Welcome;
        }

        if (text.IndexOf("\"error\""u8) >= 0 || text.StartsWith("{\"type\":7"u8))
        {
            return Notice.Failed;
        }

        return text.StartsWith("{\"type\":3"u8) ? Notice.Joined : Notice.Other;
    }
}

/// <summary>No protocol at all: a text is a message to everybody in the room.</summary>
internal sealed class PlainDialect : Dialect
{
    public override bool JoinsByPath => true;

    public override string Path(string user, string room) => $"/room/{room}";

    public override byte[] Join(string room) => throw new NotSupportedException("The path has named the room.");

    public override byte[] Message(bool isDirect, string target, string content, string nonce) => Frame(content);

    public override Notice NoticeOf(ReadOnlySpan<byte> text) => Notice.Other;
}
