using System.Buffers;
using System.Net.Sockets;
using AspireChat.WebSockets;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// What a tunnel writes to its client's socket: the replica's bytes, and a farewell between two messages. Holds a buffer only while the
/// socket is full. Not thread-safe: the tunnel's lock guards it.
/// </summary>
/// <param name="client">Nothing else writes there. Whoever gave it closes it.</param>
internal sealed class ClientOutput(SafeSocketHandle client)
{
    private ServerFrameBounds _bounds = new();
    private byte[]? _farewell;
    private bool _hasLeft;

    /// <summary>What did not fit into the socket stands at the end of this buffer, from <see cref="_restFrom"/> on.</summary>
    private byte[] _rest = [];

    private int _restFrom;

    public enum State
    {
        /// <summary>All was written.</summary>
        Free,

        /// <summary>Some bytes wait. Call <see cref="WriteRest"/> when the socket is writable, and nothing else until then.</summary>
        Full,

        /// <summary>The client is gone.</summary>
        Gone,
    }

    public SafeSocketHandle Client => client;

    /// <summary>Passes on what the replica sent. After the farewell it goes nowhere.</summary>
    public State Write(ReadOnlySpan<byte> bytes)
    {
        if (_hasLeft)
        {
            return State.Free;
        }

        _bounds.Advance(bytes);
        var state = Send(bytes);
        return state == State.Free ? SayFarewell() : state;
    }

    /// <summary>Sends the client away, now or at the end of the message that is under way. Only the first farewell counts.</summary>
    /// <param name="farewell">Whole frames, the last of them a close.</param>
    /// <param name="isFree">False while the state is <see cref="State.Full"/>: it is said later.</param>
    public State Leave(byte[] farewell, bool isFree)
    {
        _farewell ??= farewell;
        return isFree ? SayFarewell() : State.Full;
    }

    /// <summary>The socket has room again.</summary>
    /// <param name="hasMoved">Something was written.</param>
    public State WriteRest(out bool hasMoved)
    {
        var sent = Epoll.Send(client, _rest.AsSpan(_restFrom));
        hasMoved = sent > 0;
        _restFrom += Math.Max(0, sent);
        if (sent >= 0 && _restFrom < _rest.Length)
        {
            return State.Full;
        }

        Release();
        return sent < 0 ? State.Gone : SayFarewell();
    }

    /// <summary>Gives the buffer back, if there is one.</summary>
    public void Release()
    {
        if (_rest.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_rest);
            _rest = [];
        }
    }

    private State SayFarewell()
    {
        if (_farewell is null || _hasLeft || !_bounds.CanInsert)
        {
            return State.Free;
        }

        _hasLeft = true;
        return Send(_farewell);
    }

    private State Send(ReadOnlySpan<byte> bytes)
    {
        var sent = Epoll.Send(client, bytes);
        if (sent < 0 || sent == bytes.Length)
        {
            return sent < 0 ? State.Gone : State.Free;
        }

        var rest = bytes[sent..];
        _rest = ArrayPool<byte>.Shared.Rent(rest.Length);
        _restFrom = _rest.Length - rest.Length;
        rest.CopyTo(_rest.AsSpan(_restFrom));
        return State.Full;
    }
}
