using System.Buffers;
using System.Runtime.InteropServices;
using AspireChat.WebSockets;

namespace AspireChat.Gateway.Tunnels;

/// <summary>What became of a write.</summary>
internal enum OutputState
{
    /// <summary>All was written.</summary>
    Free,

    /// <summary>Some bytes wait. Send the rest when the socket is writable, and nothing else until then.</summary>
    Full,

    /// <summary>The other end is gone.</summary>
    Gone,
}

/// <summary>
/// Writes to a socket without waiting, and keeps what did not fit. It holds a buffer only while the socket is full. Not thread-safe: the
/// tunnel's lock guards it.
/// </summary>
internal struct SocketOutput
{
    /// <summary>What did not fit into the socket stands at the end of this buffer, from <see cref="_restFrom"/> on.</summary>
    private byte[]? _rest;

    private int _restFrom;

    public readonly bool IsFull => _rest is not null;

    /// <summary>Call it while the socket is not full.</summary>
    public OutputState Send(SafeHandle socket, ReadOnlySpan<byte> bytes)
    {
        var sent = Epoll.Send(socket, bytes);
        if (sent < 0 || sent == bytes.Length)
        {
            return sent < 0 ? OutputState.Gone : OutputState.Free;
        }

        var rest = bytes[sent..];
        _rest = ArrayPool<byte>.Shared.Rent(rest.Length);
        _restFrom = _rest.Length - rest.Length;
        rest.CopyTo(_rest.AsSpan(_restFrom));
        return OutputState.Full;
    }

    /// <summary>The socket has room again.</summary>
    /// <param name="hasMoved">Something was written.</param>
    public OutputState SendRest(SafeHandle socket, out bool hasMoved)
    {
        var sent = Epoll.Send(socket, _rest.AsSpan(_restFrom));
        hasMoved = sent > 0;
        _restFrom += Math.Max(0, sent);
        if (sent >= 0 && _restFrom < _rest!.Length)
        {
            return OutputState.Full;
        }

        Release();
        return sent < 0 ? OutputState.Gone : OutputState.Free;
    }

    /// <summary>Gives the buffer back, if there is one.</summary>
    public void Release()
    {
        if (_rest is { } rest)
        {
            _rest = null;
            ArrayPool<byte>.Shared.Return(rest);
        }
    }
}
