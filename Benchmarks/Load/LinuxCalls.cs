using System.Runtime.InteropServices;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// The calls of Linux that the load generator lives on beside the gateway's <see cref="AspireChat.Gateway.Tunnels.Epoll"/>, which is
/// compiled into this project too. One thread with epoll reads a frame for 2–3 µs, a fraction of what asynchronous sockets cost, so that
/// what is measured is the servers.
/// </summary>
internal static partial class LinuxCalls
{
    private const int DontWait = 0x40;

    /// <summary>Bytes read, 0 at the end of the stream, -1 for nothing yet or a broken connection.</summary>
    public static unsafe int Receive(SafeHandle socket, Span<byte> buffer)
    {
        fixed (byte* at = buffer)
            return (int)Receive(socket, at, buffer.Length, DontWait);
    }

    [LibraryImport("libc", EntryPoint = "recv")]
    private static unsafe partial nint Receive(SafeHandle socket, byte* buffer, nint length, int flags);
}
