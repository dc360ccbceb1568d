using System.Text;
using AspireChat.Chaos.Fuzzing;
using AspireChat.Gateway.Tunnels;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace AspireChat.Tests.Fuzzing;

/// <summary>
/// What a tunnel writes to a replica, from a path and headers that are even worse than what the server lets through: always one head of one
/// request, and never a line that the client has smuggled in.
/// </summary>
internal sealed class TunnelRequestFuzz : FuzzTarget
{
    public override string Name => "tunnel request";

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Encoding.UTF8.GetBytes("/ws?a=b\nSec-WebSocket-Key\ndGhlIHNhbXBsZSBub25jZQ==\nX-Forwarded-For\n10.0.0.1\nUser-Agent\nbrowser/1.0"),
        Encoding.UTF8.GetBytes("/ws\nHost\nchat:80\nConnection\nUpgrade, keep-alive\nUpgrade\nwebsocket\nSec-WebSocket-Protocol\naspirechat.v1"),
        Encoding.UTF8.GetBytes("/ws?x=%0d%0a&y=ä\nAuthorization\nBearer a.b.c\nCookie\na=b; c=d\nTransfer-Encoding\nchunked"),
    ];

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. new[] { "\r\n", "\r", "\n", "\r\n\r\nGET /internal HTTP/1.1\r\n", "\0", "é", "%0d%0a", "Host", "Content-Length\n5", ":", " " }
            .Select(Encoding.UTF8.GetBytes),
    ];

    public override async Task TryAsync(byte[] input, Random random, CancellationToken cancellationToken)
    {
        var parts = Encoding.Latin1.GetString(input).Split('\n');
        var context = new DefaultHttpContext();
        context.Request.Method = "GET";
        context.Request.Path = "/ws";
        var query = parts[0].IndexOf('?', StringComparison.Ordinal);
        context.Request.QueryString = query < 0 ? default : new QueryString(parts[0][query..]);
        for (var i = 1; i + 1 < parts.Length; i += 2)
        {
            // A host that no name can be is for the server to refuse, before there is a tunnel.
            if (parts[i].Equals("Host", StringComparison.OrdinalIgnoreCase)
                && !parts[i + 1].All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or ':' or '-'))
            {
                continue;
            }

            context.Request.Headers[parts[i].Length == 0 ? "X" : parts[i]] = parts[i + 1];
        }

        var request = await TunnelRequest.CreateAsync(context, "http://replica:80", HttpTransformer.Default, cancellationToken);
        if (request is null)
        {
            return;
        }

        var head = Encoding.ASCII.GetString(request.Head);
        Must(head.EndsWith("\r\n\r\n", StringComparison.Ordinal), "the head has no end");
        var lines = head[..^4].Split("\r\n");
        Must(head[..^4].All(c => c is '\r' or '\n' or (>= ' ' and <= '\x7f')), "the head has a control character");
        Must(head[..^4].Replace("\r\n", "", StringComparison.Ordinal).IndexOfAny(['\r', '\n']) < 0, "the head has half a line's end");
        Must(lines.All(line => line.Length > 0), "the head ends early");
        Must(lines[0].StartsWith("GET /ws", StringComparison.Ordinal) && lines[0].EndsWith(" HTTP/1.1", StringComparison.Ordinal)
            && lines[0].Count(c => c == ' ') == 2, $"the request line is {lines[0]}");
        // Three of its own, and at most one for each header of the client and those that the proxy adds.
        Must(lines.Length <= 4 + context.Request.Headers.Count + 4, "there are more lines than headers");
        Must(lines.Count(line => line.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)) == 1, "there is not one host");
        Must(lines.Count(line => line.StartsWith("Upgrade:", StringComparison.OrdinalIgnoreCase)) == 1, "there is not one upgrade");
        Must(lines.Skip(1).All(line => line.Contains(':', StringComparison.Ordinal)), "a line is no header");
    }
}

/// <summary>What a tunnel reads of a replica's answer: no fault, and what follows the head is given on byte by byte.</summary>
internal sealed class TunnelAnswerFuzz : FuzzTarget
{
    public override string Name => "tunnel answer";

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        [
            .. "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x=\r\n\r\n"u8,
            0x81, 0x02, (byte)'{', (byte)'}',
        ],
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"u8.ToArray(),
        "HTTP/1.1 200\r\n\r\n"u8.ToArray(),
    ];

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. new[] { "\r\n", "\r\n\r\n", "HTTP/1.1 ", "HTTP/1.1 -1 ", ":", " 101", "999" }.Select(Encoding.ASCII.GetBytes)];

    public override Task TryAsync(byte[] input, Random random, CancellationToken cancellationToken)
    {
        var answer = TunnelAnswer.Parse(input);

        var end = input.AsSpan().IndexOf("\r\n\r\n"u8);
        if (answer.Status == 0)
        {
            return Task.CompletedTask;
        }

        Must(end >= 0, "an answer without an end was read");
        Must(answer.Rest.Span.SequenceEqual(input.AsSpan(end + 4)), "what follows the head is not what came");
        Must(answer.Status <= 999, $"the status is {answer.Status}");
        Must(answer.Headers.All(header => header.Key.Length > 0), "a header has no name");
        return Task.CompletedTask;
    }
}
