using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using AspireChat.Contracts.Frames;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.WebSockets;

/// <summary>
/// A server of only the library and Kestrel. Its socket has the limits of the chat's, and answers a <c>ping</c> message of the chat
/// with <c>pong</c>, so that one table of cases serves it and the real node.
/// </summary>
public sealed class FrameServer : IAsyncLifetime
{
    private const int Longest = 32 * 1024;

    private WebApplication _app = null!;

    public Uri Address => new(_app.Urls.First());

    /// <summary>What the server does with a socket: it answers like the chat.</summary>
    internal Func<FrameSocket, Task> Session { get; init; } = ServeAsync;

    /// <summary>Further endpoints.</summary>
    public Action<WebApplication>? Map { get; init; }

    public Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddConnectionHandover();
        builder.Services.AddLoopTransport("test", _ => new EventLoopOptions(IsEnabled: true, Sweep: TimeSpan.FromSeconds(1)));
        _app = builder.Build();
        _app.Map("/ws", AcceptAsync);
        Map?.Invoke(_app);
        return _app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task AcceptAsync(HttpContext context)
    {
        Assert.True(Handshake.IsRequested(context));
        Assert.True(await Handshake.TryAcceptAsync(context, "aspirechat.v1", new FrameReader(Longest, 8 * Longest), Session));
    }

    private static async Task ServeAsync(FrameSocket socket)
    {
        try
        {
            var (code, reason) = await AnswerAsync(socket);
            await socket.WriteCloseAsync(code, reason);
            await socket.DiscardAsync();
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The client is gone.
        }
    }

    /// <summary>Returns the close code.</summary>
    private static async Task<(int Code, string Reason)> AnswerAsync(FrameSocket socket)
    {
        var frames = new FrameList();
        while (true)
        {
            switch (await socket.ReadAsync())
            {
                case MessageKind.Text:
                    frames.Add(AnswerTo(socket.Text), ephemeral: false);
                    break;
                case MessageKind.TooLarge:
                    frames.Add(Error(ErrorCodes.TooLarge), ephemeral: false);
                    break;
                case MessageKind.Ping:
                    frames.Add(OutboundFrame.Control(FrameHeader.Pong, socket.PingPayload), ephemeral: false);
                    break;
                case MessageKind.Pong or MessageKind.Fragment:
                    continue;
                case MessageKind.FarTooLarge:
                    return (CloseStatus.MessageTooBig, "");
                case MessageKind.Binary:
                    return (CloseStatus.UnsupportedData, "");
                case MessageKind.Close:
                    return (CloseStatus.Normal, "");
                default:
                    return socket.Fault;
            }
            await socket.WriteAsync(frames, 0);
            frames.Clear();
        }
    }

    private static OutboundFrame AnswerTo(ReadOnlySpan<byte> text)
    {
        try
        {
            var reference = (string?)JsonNode.Parse(text)!["ref"];
            return OutboundFrame.Of(JsonSerializer.SerializeToUtf8Bytes(new { type = "pong", @ref = reference }));
        }
        catch (JsonException)
        {
            return Error(ErrorCodes.BadRequest);
        }
    }

    private static OutboundFrame Error(string code) =>
        OutboundFrame.Of(JsonSerializer.SerializeToUtf8Bytes(new { type = "error", code }));
}
