using System.Net.WebSockets;
using System.Text;
using System.Threading.Channels;

namespace AspireChat.Tests.Connections;

/// <summary>A socket whose peer reads only when the test lets it: a send ends when <see cref="Read"/> is called for it.</summary>
internal sealed class GatedWebSocket : WebSocket
{
    private readonly Channel<(string Text, TaskCompletionSource Sent)> _sends = Channel.CreateUnbounded<(string, TaskCompletionSource)>();
    private readonly TaskCompletionSource _aborted = new();

    public override WebSocketCloseStatus? CloseStatus { get; }

    public override string? CloseStatusDescription { get; }

    public override string? SubProtocol { get; }

    public override WebSocketState State => WebSocketState.Open;

    /// <summary>Set when the close frame is sent.</summary>
    public int? SentCloseCode { get; private set; }

    public bool IsSending => _sends.Reader.Count > 0;

    public Task Aborted => _aborted.Task;

    /// <summary>Takes the next frame off the wire; "close" for the close frame.</summary>
    public async Task<string> Read()
    {
        var (text, sent) = await _sends.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        sent.TrySetResult();
        return text;
    }

    public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage,
        CancellationToken cancellationToken) =>
        WriteAsync(Encoding.UTF8.GetString(buffer));

    public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken)
    {
        SentCloseCode = (int)closeStatus;
        return WriteAsync("close");
    }

    public override void Abort() => _aborted.TrySetResult();

    public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public override Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken) =>
        throw new NotSupportedException();

    public override void Dispose()
    {
    }

    private async Task WriteAsync(string text)
    {
        var sent = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _sends.Writer.TryWrite((text, sent));
        if (await Task.WhenAny(sent.Task, _aborted.Task) == _aborted.Task)
        {
            throw new WebSocketException("aborted");
        }
    }
}
