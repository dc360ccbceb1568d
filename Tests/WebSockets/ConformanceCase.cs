using System.Text.Json.Nodes;
using AspireChat.WebSockets;

namespace AspireChat.Tests.WebSockets;

/// <summary>The packets that a client sends, and the answers that it must get.</summary>
/// <param name="Messages">Answers that are messages, in order: <c>pong REF</c> or <c>error CODE</c>.</param>
/// <param name="Pongs">Payloads of the pong frames. Of several pings in a row only the last must be answered (§5.5.3).</param>
/// <param name="Codes">The server closes with one of these codes. Empty when it does not close.</param>
internal sealed record ConformanceCase(string Name, byte[][] Packets, string[] Messages, byte[][] Pongs, int[] Codes)
{
    /// <summary>The framework is more tolerant than the RFC here.</summary>
    public bool OwnOnly { get; private init; }

    public static ConformanceCase Accepts(string name, params byte[][] packets) => new(name, packets, ["pong r"], [], []);

    public static ConformanceCase Answers(string name, string[] messages, params byte[][] packets) => new(name, packets, messages, [],
        []);

    public static ConformanceCase Pong(string name, byte[] payload, params byte[][] packets) => new(name, packets, [], [payload], []);

    public static ConformanceCase Closes(string name, int code, params byte[][] packets) => new(name, packets, [], [], [code]);

    public ConformanceCase ButNotByTheFramework() => this with { OwnOnly = true };

    public async Task RunAsync(RawClient client)
    {
        // A last message proves that a connection that is not closed still works.
        byte[][] packets = Codes.Length > 0 ? Packets : [.. Packets, ClientFrames.Text(ClientFrames.Message("end"))];
        List<string> messages = [];
        List<byte[]> pongs = [];
        // Earlier answers are read before the fault, because a fault may cut them off.
        var held = Codes.Length > 0 && Messages.Length > 0 && packets.Length > 1 ? 1 : 0;
        foreach (var packet in packets[..^held])
        {
            await client.SendAsync(packet);
        }

        while (held > 0 && messages.Count < Messages.Length)
        {
            messages.Add(Describe((await client.ReadAsync())!.Text));
        }

        foreach (var packet in packets[^held..])
        {
            await client.SendAsync(packet);
        }

        while (true)
        {
            var frame = await client.ReadAsync();
            Assert.True(frame is not null, "the connection ended without a close frame");
            if (frame.Opcode == ClientFrames.CloseOpcode)
            {
                Assert.True(Codes.Contains(frame.CloseCode), $"closed with {frame.CloseCode} {frame.Text}");
                break;
            }
            if (frame.Opcode == ClientFrames.PongOpcode)
            {
                pongs.Add(frame.Payload);
            }
            else if (frame.Opcode == ClientFrames.TextOpcode)
            {
                messages.Add(Describe(frame.Text));
            }

            var ponged = Pongs.Length == 0 || pongs.Exists(pong => pong.SequenceEqual(Pongs[^1]));
            if (Codes.Length == 0 && messages is [.., "pong end"] && ponged)
            {
                break;
            }
        }
        Assert.Equal(Codes.Length > 0 ? Messages : [.. Messages, "pong end"], messages);
        CheckPongs(pongs);
        await EndAsync(client);
    }

    private static string Describe(string text)
    {
        var json = JsonNode.Parse(text)!.AsObject();
        return $"{json["type"]} {json["ref"] ?? json["code"]}";
    }

    private void CheckPongs(List<byte[]> pongs)
    {
        // Pongs may be missing except the last. None may be invented or out of order.
        var next = 0;
        foreach (var pong in pongs)
        {
            while (next < Pongs.Length && !Pongs[next].SequenceEqual(pong))
            {
                next++;
            }

            Assert.True(next++ < Pongs.Length, "a pong that nobody asked for");
        }
        if (Pongs.Length > 0)
        {
            Assert.Equal(Pongs[^1], pongs[^1]);
        }
    }

    /// <summary>After both close frames the server ends the connection. No byte may come in between.</summary>
    private async Task EndAsync(RawClient client)
    {
        if (Codes.Length > 0)
        {
            await client.EndAsync(ClientFrames.Close(CloseStatus.Normal));
        }
        else
        {
            // Kestrel takes the end of one direction for the end of both, so the answer must be read first.
            await client.SendAsync(ClientFrames.Close(CloseStatus.Normal));
            Assert.Equal(CloseStatus.Normal, (await client.ReadAsync())?.CloseCode);
        }
        Assert.Null(await client.ReadAsync());
    }
}
