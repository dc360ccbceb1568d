using System.Net.Sockets;
using AspireChat.WebSockets;

namespace AspireChat.Gateway.Tunnels;

/// <summary>
/// A tunnel's handshake with its replica: the connection, the request, and the head of the answer. Forgotten when the tunnel flows. Not
/// thread-safe: the tunnel's lock guards it.
/// </summary>
/// <param name="request">The head of the request, sent as soon as there is a connection.</param>
internal sealed class ReplicaHandshake(byte[] request)
{
    private const int LongestHead = 32 * 1024;

    private readonly TaskCompletionSource<byte[]> _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource _connected = NewConnected();
    private byte[] _answer = [];

    /// <summary>Completes when the request is on its way.</summary>
    public Task Connected => _connected.Task;

    /// <summary>The head of the answer, and what came behind it.</summary>
    public Task<byte[]> Answered => _answered.Task;

    /// <summary>Another address is tried.</summary>
    public void Restart() => _connected = NewConnected();

    /// <summary>The attempt to connect has ended. True: it succeeded and the request was sent.</summary>
    public bool OnConnected(Socket replica)
    {
        var error = (SocketError)(int)replica.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
        // A handshake is smaller than the buffer of a new connection.
        if (error != SocketError.Success || Epoll.Send(replica.SafeHandle, request) != request.Length)
        {
            _connected.TrySetException(new SocketException((int)(error == SocketError.Success ? SocketError.ConnectionReset : error)));
            return false;
        }

        _connected.TrySetResult();
        return true;
    }

    /// <summary>A part of the answer has come. True: its head is whole, or too long to be one.</summary>
    public bool OnAnswer(ReadOnlySpan<byte> part)
    {
        _answer = [.. _answer, .. part];
        if (_answer.AsSpan().IndexOf("\r\n\r\n"u8) < 0 && _answer.Length < LongestHead)
        {
            return false;
        }

        _answered.TrySetResult(_answer);
        return true;
    }

    /// <summary>Fails whatever has not completed.</summary>
    public void Fail(Exception fault)
    {
        _connected.TrySetException(fault);
        _answered.TrySetException(fault);
    }

    /// <summary>Whoever waited has gone. Without this the runtime would report exceptions that nobody looked at.</summary>
    public void Forget()
    {
        _ = _connected.Task.Exception;
        _ = _answered.Task.Exception;
    }

    private static TaskCompletionSource NewConnected() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
