using System.Net.Sockets;
using AspireChat.WebSockets;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// What a tunnel writes to its client's socket: the replica's bytes, and a farewell between two messages. Not thread-safe: the tunnel's lock
/// guards it.
/// </summary>
/// <param name="client">Nothing else writes there. Whoever gave it closes it.</param>
internal sealed class ClientOutput(SafeSocketHandle client)
{
    private ServerFrameBounds _bounds = new();
    private SocketOutput _output;
    private byte[]? _farewell;
    private bool _hasLeft;

    public bool IsFull => _output.IsFull;

    /// <summary>Passes on what the replica sent. After the farewell it goes nowhere.</summary>
    public OutputState Write(ReadOnlySpan<byte> bytes)
    {
        if (_hasLeft)
        {
            return OutputState.Free;
        }

        _bounds.Advance(bytes);
        var state = _output.Send(client, bytes);
        return state == OutputState.Free ? SayFarewell() : state;
    }

    /// <summary>Sends the client away, now or at the end of the message that is under way. Only the first farewell counts.</summary>
    /// <param name="farewell">Whole frames, the last of them a close.</param>
    public OutputState Leave(byte[] farewell)
    {
        _farewell ??= farewell;
        return IsFull ? OutputState.Full : SayFarewell();
    }

    /// <summary>The socket has room again.</summary>
    /// <param name="hasMoved">Something was written.</param>
    public OutputState WriteRest(out bool hasMoved)
    {
        var state = _output.SendRest(client, out hasMoved);
        return state == OutputState.Free ? SayFarewell() : state;
    }

    /// <summary>Gives the buffer back, if there is one.</summary>
    public void Release() => _output.Release();

    private OutputState SayFarewell()
    {
        if (_farewell is null || _hasLeft || !_bounds.CanInsert)
        {
            return OutputState.Free;
        }

        _hasLeft = true;
        return _output.Send(client, _farewell);
    }
}
