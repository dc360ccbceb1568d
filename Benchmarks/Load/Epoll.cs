using System.Runtime.InteropServices;

namespace AspireChat.Benchmarks.Load;

/// <summary>
/// The few calls of Linux that the load generator lives on. One thread with epoll reads a frame for 2–3 µs, a fraction of what
/// asynchronous sockets cost, so that what is measured is the servers.
/// </summary>
internal sealed partial class Epoll : IDisposable
{
    private const int Add = 1;
    private const uint Readable = 0x001;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int MostReady = 512;
    private const int TerminationSignal = 15;

    // struct epoll_event is packed on x86-64 and nowhere else.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private readonly int _handle = Checked(Create(0), "epoll_create1");
    private readonly byte[] _ready = new byte[MostReady * 16];

    /// <summary>Tells of the descriptor whenever there is something to read; <paramref name="tag"/> names it.</summary>
    public unsafe void Watch(int descriptor, int tag)
    {
        Span<byte> item = stackalloc byte[16];
        MemoryMarshal.Write(item, Readable);
        MemoryMarshal.Write(item[(Stride - 8)..], (long)tag);
        fixed (byte* at = item)
            Checked(Control(_handle, Add, descriptor, at), "epoll_ctl");
    }

    /// <summary>How many descriptors are ready; <see cref="Tag"/> has their names until the next call.</summary>
    public unsafe int Wait(int milliseconds)
    {
        fixed (byte* at = _ready)
            return Math.Max(0, Wait(_handle, at, MostReady, milliseconds));
    }

    public int Tag(int index) => (int)MemoryMarshal.Read<long>(_ready.AsSpan(index * Stride + Stride - 8));

    /// <summary>Bytes read, 0 at the end of the stream, -1 for nothing yet or a broken connection.</summary>
    public static unsafe int Receive(int descriptor, Span<byte> buffer)
    {
        fixed (byte* at = buffer)
            return (int)Receive(descriptor, at, buffer.Length, DontWait);
    }

    /// <summary>True when all of it went into the socket.</summary>
    public static unsafe bool Send(int descriptor, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* at = bytes)
            return Send(descriptor, at, bytes.Length, DontWait | NoSignal) == bytes.Length;
    }

    public static void Terminate(int process) => _ = Kill(process, TerminationSignal);

    public void Dispose() => _ = Close(_handle);

    private static int Checked(int result, string call) => result >= 0
        ? result
        : throw new InvalidOperationException($"{call} failed with error {Marshal.GetLastPInvokeError()}.");

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static unsafe partial int Control(int epoll, int operation, int descriptor, byte* item);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static unsafe partial int Wait(int epoll, byte* items, int count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static unsafe partial nint Receive(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static unsafe partial nint Send(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
