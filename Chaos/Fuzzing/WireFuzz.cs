using System.Net.WebSockets;
using System.Text;
using AspireChat.Chaos.Hostile;
using AspireChat.WebSockets;

namespace AspireChat.Chaos.Fuzzing;

/// <summary>
/// The handshake and what comes behind it, through a gateway that runs: wrong requests are answered by 4xx or by the end of the connection, never
/// by a fault of the server's; a socket ends with a code that blames the client, never with 1011; and a right handshake always works afterwards.
/// 503 says that a service behind the gateway is away for a moment, as on a starved machine. It is no fault if a right handshake works soon.
/// </summary>
/// <param name="token">Of the user who sends all this.</param>
internal sealed class WireFuzz(Uri gateway, string token) : FuzzTarget
{
    private const uint Key = 0x3D21FA37;

    /// <summary>How long the server may take to answer, or to end what it does not answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(200);

    private int _tried;

    /// <summary>How often the answer was 503.</summary>
    public int Unavailable { get; private set; }

    public override string Name => "wire";

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Handshake.Request("/ws", gateway.Authority, "dGhlIHNhbXBsZSBub25jZQ==", $"Authorization: Bearer {token}\r\n"),
        Handshake.Request($"/ws?token={token}", gateway.Authority, "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: aspirechat.v1\r\n"),
        Handshake.Request("/ws", gateway.Authority, "dGhlIHNhbXBsZSBub25jZQ==", $"Sec-WebSocket-Protocol: aspirechat.v1, bearer.{token}\r\n"),
        [
            .. Handshake.Request("/ws", gateway.Authority, "dGhlIHNhbXBsZSBub25jZQ==", $"Authorization: Bearer {token}\r\n"),
            .. MaskedFrame.Encode(FrameHeader.Text, """{"type":"join","room":"lobby","since":0}"""u8, Key),
            .. MaskedFrame.Encode(FrameHeader.Text, """{"type":"room","room":"lobby","content":"c","nonce":"n"}"""u8, 0),
            .. MaskedFrame.Encode(FrameHeader.Text, """{"type":"resume","conversations":[{"to":"bob","since":9,"epoch":"x"}]}"""u8, 0),
            .. MaskedFrame.Encode(FrameHeader.Text, """{"type":"edit","room":"lobby","target":1,"content":"d","nonce":"m"}"""u8, 0),
        ],
        Encoding.ASCII.GetBytes($"GET /api/rooms/lobby/messages?limit=5 HTTP/1.1\r\nHost: chat\r\nAuthorization: Bearer {token}\r\n\r\n"),
        Encoding.ASCII.GetBytes(
            $"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: chat\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            + "Content-Length: 29\r\n\r\n{\"content\":\"c\",\"nonce\":\"post\"}"),
    ];

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[]
    {
        "\r\n", "\n", "\r", "\r\n\r\n", ": ", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0",
        "Transfer-Encoding: chunked\r\n", "Content-Length: 5\r\n", "Content-Length: -1\r\n",
        "Connection: close\r\n", "Upgrade: websocket\r\n", "Upgrade: h2c\r\n", "Sec-WebSocket-Version: 12\r\n", "Host: other\r\n",
        "X-User: root\r\n", "%00", "%2e%2e/", "//",
        "Expect: 100-continue\r\n", "é", "\0",
        "Sec-WebSocket-Extensions: permessage-deflate\r\n", "Cookie: a=b\r\n", "0\r\n\r\n", "?token=", "&token=x",
    }.Select(Encoding.Latin1.GetBytes)];

    public override async Task TryAsync(byte[] input, Random random, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            var status = await SendAsync(input, random.Next(2) == 0 ? input.Length : random.Next(1, input.Length + 1), patience.Token);
            if (status == 503)
            {
                Unavailable++;
                while (!await IsAcceptedAsync(patience.Token))
                {
                    await Task.Delay(BetweenTries, TimeProvider.System, patience.Token);
                }
            }
            else if (++_tried % 100 == 0)
            {
                Must(await IsAcceptedAsync(patience.Token), "a right handshake is not accepted any more");
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FuzzException("the server neither answered nor ended the connection, or stays unavailable");
        }
    }

    private async Task<bool> IsAcceptedAsync(CancellationToken cancellationToken)
    {
        using var socket = await HostileSocket.ConnectAsync(gateway, token, cancellationToken);
        return socket is not null;
    }

    /// <returns>The status of the answer; 0: the connection ended without one.</returns>
    private async Task<int> SendAsync(byte[] input, int cut, CancellationToken cancellationToken)
    {
        using var socket = await HostileSocket.DialAsync(gateway, cancellationToken) ?? throw new FuzzException("nobody listens any more");
        try
        {
            await socket.WriteAsync(input.AsMemory(..cut), cancellationToken);
            await socket.WriteAsync(input.AsMemory(cut..), cancellationToken);
            // Nothing more will come: what is not answered yet is now, or never.
            socket.EndWriting();
            if (await socket.ReadHeadAsync(cancellationToken) is var status && status != 101)
            {
                // 505 is for versions of HTTP that nobody speaks.
                Must(status is 0 or (>= 100 and < 500) or 503 or 505, $"the answer is {status}");
                return status;
            }

            var code = await socket.ReadCloseAsync(cancellationToken);
            Must(code != (int)WebSocketCloseStatus.InternalServerError, "the server closes with 1011");
            return status;
        }
        catch (Exception e) when (HostileSocket.IsEnd(e))
        {
            // Cut without an answer.
            return 0;
        }
    }
}
