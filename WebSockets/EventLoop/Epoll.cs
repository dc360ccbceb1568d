using System.ComponentModel;
using System.Runtime.InteropServices;

namespace AspireChat.WebSockets;

/// <summary>What epoll watches a socket for, or reports of it.</summary>
[Flags]
public enum Readiness : uint
{
    None = 0,
    Readable = 0x001,
    Writable = 0x004,
    Failed = 0x008,
    HungUp = 0x010,
}

/// <summary>
/// Linux's epoll, level-triggered, and the calls that go with it: they never wait, whatever mode the socket is in. Watching and forgetting
/// are safe for concurrent use; one thread at a time may wait.
/// </summary>
public sealed partial class Epoll : IDisposable
{
    private const int Add = 1;
    private const int Delete = 2;
    private const int Modify = 3;
    private const int CloseOnExec = 0x80000;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int MostReady = 256;
    private const int ItemSize = 16;
    private const int Closed = -1;

    // struct epoll_event is packed on x86-64 and nowhere else.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : ItemSize;

    private readonly byte[] _ready = new byte[MostReady * ItemSize];
    private int _handle;

    public Epoll()
    {
        _handle = Create(CloseOnExec);
        if (_handle < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Reports the socket under <paramref name="tag"/> for as long as it is ready, until it is forgotten or closed.</summary>
    public void Watch(SafeHandle socket, Readiness what, long tag) => Apply(Add, socket, what, tag);

    /// <summary>From now on a socket that is watched already is reported for something else.</summary>
    public void Change(SafeHandle socket, Readiness what, long tag) => Apply(Modify, socket, what, tag);

    /// <summary>Ends the reports. A socket that its owner has closed is forgotten already.</summary>
    public void Forget(SafeHandle socket)
    {
        try
        {
            Change(Delete, socket, stackalloc byte[ItemSize]);
        }
        catch (ObjectDisposedException)
        {
            // Closing took the registration with it.
        }
    }

    /// <summary>Waits until a socket is ready, or the time is over.</summary>
    /// <returns>How many sockets are ready; <see cref="Ready"/> tells which, until the next call.</returns>
    public unsafe int Wait(int milliseconds)
    {
        fixed (byte* at = _ready)
        {
            return Math.Max(0, Wait(_handle, at, MostReady, milliseconds));
        }
    }

    public (long Tag, Readiness What) Ready(int index)
    {
        var item = _ready.AsSpan(index * Stride);
        return (MemoryMarshal.Read<long>(item[(Stride - sizeof(long))..]), (Readiness)MemoryMarshal.Read<uint>(item));
    }

    /// <summary>
    /// Bytes that went into the socket: fewer than all, or 0, when it is full; -1 when it is broken. The framework's own call would wait
    /// instead of returning 0 on a socket that is used asynchronously elsewhere.
    /// </summary>
    public static unsafe int Send(SafeHandle socket, ReadOnlySpan<byte> bytes)
    {
        const int Again = 11;
        fixed (byte* at = bytes)
        {
            try
            {
                var sent = (int)Send(socket, at, bytes.Length, DontWait | NoSignal);
                return sent >= 0 ? sent : Marshal.GetLastPInvokeError() == Again ? 0 : -1;
            }
            catch (ObjectDisposedException)
            {
                return -1;
            }
        }
    }

    /// <summary>Bytes read; 0 at the end of the stream; -1 when nothing has arrived or the connection is broken.</summary>
    public static unsafe int Receive(SafeHandle socket, Span<byte> buffer)
    {
        fixed (byte* at = buffer)
        {
            return (int)Receive(socket, at, buffer.Length, DontWait);
        }
    }

    /// <summary>As the other one, and tells a broken connection from one on which nothing has arrived.</summary>
    /// <param name="isBroken">The connection was reset, or is closed here.</param>
    public static unsafe int Receive(SafeHandle socket, Span<byte> buffer, out bool isBroken)
    {
        const int Again = 11;
        isBroken = false;
        fixed (byte* at = buffer)
        {
            try
            {
                var received = (int)ReceiveOrFail(socket, at, buffer.Length, DontWait);
                isBroken = received < 0 && Marshal.GetLastPInvokeError() != Again;
                return received;
            }
            catch (ObjectDisposedException)
            {
                isBroken = true;
                return -1;
            }
        }
    }

    /// <summary>Closes the descriptor, once: its number may be another's afterwards.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _handle, Closed) is var handle && handle != Closed)
        {
            _ = Close(handle);
        }
    }

    private void Apply(int operation, SafeHandle socket, Readiness what, long tag)
    {
        Span<byte> item = stackalloc byte[ItemSize];
        MemoryMarshal.Write(item, (uint)what);
        MemoryMarshal.Write(item[(Stride - sizeof(long))..], tag);
        if (Change(operation, socket, item) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private unsafe int Change(int operation, SafeHandle socket, ReadOnlySpan<byte> item)
    {
        fixed (byte* at = item)
        {
            return Control(_handle, operation, socket, at);
        }
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static unsafe partial int Control(int epoll, int operation, SafeHandle socket, byte* item);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    private static unsafe partial int Wait(int epoll, byte* items, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static unsafe partial nint Send(SafeHandle socket, byte* bytes, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv")]
    private static unsafe partial nint Receive(SafeHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static unsafe partial nint ReceiveOrFail(SafeHandle socket, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);
}
