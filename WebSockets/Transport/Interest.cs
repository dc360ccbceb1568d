using System.Runtime.InteropServices;

namespace AspireChat.WebSockets;

/// <summary>What a socket is watched for now. One for each socket. Not thread-safe: the owner's lock guards it.</summary>
public struct Interest
{
    private Readiness _now;

    /// <summary>
    /// A socket that is watched for nothing is not watched at all: it would be reported again and again once its peer has gone.
    /// </summary>
    public void Set(Epoll epoll, SafeHandle socket, Readiness wanted, long tag)
    {
        if (wanted == _now)
        {
            return;
        }
        if (wanted == Readiness.None)
        {
            epoll.Forget(socket);
        }
        else if (_now == Readiness.None)
        {
            epoll.Watch(socket, wanted, tag);
        }
        else
        {
            epoll.Change(socket, wanted, tag);
        }

        _now = wanted;
    }
}
