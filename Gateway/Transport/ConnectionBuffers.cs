using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections.Features;

namespace AspireChat.Gateway.Transport;

/// <summary>The memory of a listener's connections while they speak HTTP, and how much of it each may hold. Thread-safe.</summary>
internal sealed class ConnectionBuffers(MemoryPool<byte> pool) : IMemoryPoolFeature
{
    /// <summary>A client that has sent this much ahead of its requests is not read until half of it is used.</summary>
    private const int MostInput = 128 * 1024;

    public MemoryPool<byte> MemoryPool => pool;

    public MemoryPool<byte> Pool => pool;

    /// <summary>The server reads on the pool: the loop's thread has other clients to serve.</summary>
    public PipeOptions Input { get; } = new(
        pool, PipeScheduler.ThreadPool, PipeScheduler.Inline, MostInput, MostInput / 2, useSynchronizationContext: false);

    /// <summary>
    /// A flush completes when the kernel has its bytes: a pipe pauses while it holds 2 bytes or more, and goes on below half of them. After an
    /// upgrade the tunnel writes to the socket, and must not overtake the answer to the handshake.
    /// </summary>
    public PipeOptions Output { get; } = new(
        pool, PipeScheduler.Inline, PipeScheduler.ThreadPool, 2, 1, useSynchronizationContext: false);
}
