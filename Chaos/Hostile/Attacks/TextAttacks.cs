using System.Globalization;
using System.Text;

namespace AspireChat.Chaos.Hostile.Attacks;

internal sealed class DeepJson() : Attack("deep-json", "JSON as deep as a frame is long", "Sockets:RefusedPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Repeat(
        HostileSocket.Text($$"""{"type":"ping","deep":{{new string('[', 16_000)}}{{new string(']', 16_000)}}}"""), 5);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop);
}

internal sealed class NestedResumes() : Attack(
    "nested-resumes", "`conversations` within `conversations`, hundreds beside each other", "Budgets:FramesPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Repeat(HostileSocket.Text(Frame()), 5);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop);

    private static string Frame()
    {
        var nested = "[]";
        for (var i = 0; i < 20; i++)
        {
            nested = $$"""[{"to":"b","since":0,"conversations":{{nested}}}]""";
        }

        var many = string.Join(',', Enumerable.Repeat($$"""{"to":"b","since":0,"conversations":{{nested}}}""", 30));
        return $$"""{"type":"ping","conversations":[{{many}}]}""";
    }
}

internal sealed class HalfCharacters() : Attack(
    "half-characters", "frames with 2,200 fields, each with half a character, which no string can hold",
    "Sockets:RefusedPerSecond, Budgets:FramesPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Text(
        $$"""{"type":"ping",{{string.Join(',', Enumerable.Repeat(@"""to"":""\ud83d""", 2_200))}}}""");

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop);
}

internal sealed class UnknownFields() : Attack("unknown-fields", "pings with 3,000 fields that nobody knows", "Budgets:FramesPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Repeat(
        HostileSocket.Text($$"""{"type":"ping",{{string.Join(',', Enumerable.Range(0, 3_000).Select(i => $"\"x{i}\":{i}"))}}}"""), 5);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop);
}

internal sealed class LongTexts() : Attack(
    "long-texts", "refs, epochs and nonces of 30 KB, which an error must not repeat", "Sockets:RefusedPerSecond")
{
    private static readonly string Long = new('r', 30_000);

    private static readonly byte[][] Batches =
    [
        HostileSocket.Text(new { type = "ping", @ref = Long }),
        HostileSocket.Text(new { type = "join", room = Long }),
        HostileSocket.Text(new { type = Long }),
        HostileSocket.Text(new { type = "room", room = "r", content = "c", nonce = Long }),
        HostileSocket.Text($$"""{"type":"ping","ref":{{new string('9', 30_000)}}}"""),
    ];

    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections, _ => Batches[(Interlocked.Increment(ref next) & int.MaxValue) % Batches.Length], stop);
    }
}

internal sealed class EscapedContents() : Attack(
    "escapes", "contents whose every character is an escape of six bytes, in the bystanders' room", "Sockets:EventsPerSecond")
{
    public override Task RunAsync(Attacker attacker, CancellationToken stop)
    {
        var content = string.Concat(Enumerable.Repeat(@"\u0001", 5_200));
        var next = 0;
        return attacker.FloodAsync(
            Attacker.Connections,
            _ => HostileSocket.Text(string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"type":"room","room":"{{attacker.Hall}}","nonce":"{{Interlocked.Increment(ref next)}}","content":"{{content}}"}""")),
            stop, attacker.Hall, pause: TimeSpan.FromMilliseconds(100));
    }
}

internal sealed class InvalidUtf8() : Attack(
    "invalid-utf8", "texts that are no UTF-8, a new connection after each", "Budgets:ConnectsPerSecond")
{
    private static readonly byte[] Batch = HostileSocket.Frame(
        WebSockets.FrameHeader.Text, [.. Encoding.ASCII.GetBytes("{\"type\":\""), .. Enumerable.Repeat((byte)0xC0, 20_000)]);

    public override Task RunAsync(Attacker attacker, CancellationToken stop) =>
        attacker.FloodAsync(Attacker.Connections, _ => Batch, stop);
}
