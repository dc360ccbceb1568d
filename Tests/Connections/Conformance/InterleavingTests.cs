using System.Text.Json.Nodes;
using AspireChat.ConnectionService.Connections;
using AspireChat.Tests.WebSockets;

namespace AspireChat.Tests.Connections.Conformance;

/// <summary>
/// Messages, fragments, pings and a close in any order, in packets cut anywhere, while a room's events flow to the same connection.
/// </summary>
[Trait("Needs", "Redis")]
public sealed class InterleavingTests(ConformanceNodes nodes) : IClassFixture<ConformanceNodes>
{
    private const int Events = 60;

    [Theory]
    [InlineData(SocketFraming.Own, 1)]
    [InlineData(SocketFraming.Own, 2)]
    [InlineData(SocketFraming.Own, 3)]
    [InlineData(SocketFraming.Own, 4)]
    [InlineData(SocketFraming.Own, 5)]
    [InlineData(SocketFraming.Own, 6)]
    [InlineData(SocketFraming.Framework, 1)]
    [InlineData(SocketFraming.Framework, 2)]
    [InlineData(SocketFraming.Framework, 3)]
    public async Task Everything_is_answered_once_and_in_order_under_load(SocketFraming framing, int seed)
    {
        var random = new Random(seed);
        var room = $"interleaving-{framing}-{seed}";
        await using var client = await ConnectionNode.ConnectRawAsync(nodes.AddressOf(framing), nodes.NewUser());
        await client.SendAsync(ClientFrames.Text($$"""{"type":"join","room":"{{room}}"}"""));
        Assert.Contains("\"joined\"", (await client.ReadAsync())!.Text);
        await using var talker = await nodes.ConnectAsync(framing, nodes.NewUser());
        await talker.JoinAsync(room);
        var talking = TalkAsync(talker, room);

        var script = new Script(random);
        var sending = SendAsync(client, script.Bytes, random);
        List<string> answers = [];
        List<byte> pongs = [];
        long seq = 0;
        // The last ping may be answered last of all; the room's events too.
        while (answers.Count < script.Messages || seq < Events || pongs.LastOrDefault() != script.LastPing)
        {
            var frame = await client.ReadAsync();
            Assert.NotNull(frame);
            if (frame.Opcode == ClientFrames.PongOpcode)
            {
                Assert.True(pongs.Count == 0 || pongs[^1] < frame.Payload[0], "pongs out of order");
                pongs.Add(frame.Payload[0]);
                continue;
            }
            if (frame.Opcode == ClientFrames.PingOpcode)
            {
                continue;
            }

            Assert.Equal(ClientFrames.TextOpcode, frame.Opcode);
            var json = JsonNode.Parse(frame.Text)!;
            if ((string?)json["type"] == "pong")
            {
                answers.Add((string)json["ref"]!);
            }
            else if ((string?)json["type"] == "room")
            {
                seq = Next((long)json["seq"]!, seq);
            }
            else
            {
                Assert.True((string?)json["type"] is not ("resumed" or "error"), frame.Text);
            }
        }
        await sending;
        await talking;
        Assert.Equal(Enumerable.Range(0, script.Messages).Select(i => $"{i}"), answers);

        await client.SendAsync(ClientFrames.Close(4321));
        var close = await client.ReadAsync();
        while (close is { Opcode: not ClientFrames.CloseOpcode })
        {
            close = await client.ReadAsync();
        }

        Assert.Equal(1000, close!.CloseCode);
        Assert.Null(await client.ReadAsync());
    }

    private static long Next(long seq, long last)
    {
        Assert.Equal(last + 1, seq);
        return seq;
    }

    private static async Task TalkAsync(TestSocket talker, string room)
    {
        for (var i = 0; i < Events; i++)
        {
            await talker.SayAsync(room, new string('x', 50 * (i % 7)) + "!", $"n{i}");
        }
    }

    /// <summary>In packets of any size, so that frames are cut anywhere and come together in any number.</summary>
    private static async Task SendAsync(RawClient client, byte[] bytes, Random random)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var packet = Math.Min(bytes.Length - at, random.Next(3) == 0 ? random.Next(1, 12) : random.Next(1, 3_000));
            await client.SendAsync(bytes.AsMemory(at, packet));
            at += packet;
        }
    }

    /// <summary>What one client sends, by seed.</summary>
    private sealed class Script
    {
        private readonly Random _random;
        private readonly List<byte> _bytes = [];

        public Script(Random random)
        {
            _random = random;
            for (Messages = 0; Messages < 150; Messages++)
            {
                AddMessage($"{Messages}");
            }

            AddPing();
        }

        public int Messages { get; }

        public byte LastPing { get; private set; }

        public byte[] Bytes => [.. _bytes];

        private void AddMessage(string reference)
        {
            var text = ClientFrames.Message(reference, _random.Next(4) == 0 ? _random.Next(100, 9_000) : 0);
            var at = 0;
            var first = true;
            while (true)
            {
                var final = _random.Next(3) > 0;
                var length = final ? text.Length - at : _random.Next(0, text.Length - at + 1);
                var mask = new byte[4];
                _random.NextBytes(mask);
                _bytes.AddRange(ClientFrames.Frame(first ? ClientFrames.TextOpcode : ClientFrames.Continuation,
                    text[at..(at + length)], final, mask: mask));
                at += length;
                first = false;
                if (_random.Next(10) == 0)
                {
                    AddPing();
                }
                else if (_random.Next(20) == 0)
                {
                    _bytes.AddRange(ClientFrames.Pong(1, 2));
                }

                if (final)
                {
                    return;
                }
            }
        }

        private void AddPing()
        {
            if (LastPing < byte.MaxValue)
            {
                _bytes.AddRange(ClientFrames.Ping(++LastPing));
            }
        }
    }
}
