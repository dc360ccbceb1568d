using System.IO.Pipelines;

namespace AspireChat.Gateway.Transport;

/// <summary>The two pipes between a connection and the server, while it speaks HTTP.</summary>
internal sealed class ConnectionPipes(ConnectionBuffers buffers)
{
    /// <summary>What is left for the server when a tunnel has taken the connection: nothing.</summary>
    public static IDuplexPipe Ended { get; } = new Pair(PipeReader.Create(Stream.Null), PipeWriter.Create(Stream.Null));

    /// <summary>From the client.</summary>
    public Pipe Input { get; } = new(buffers.Input);

    /// <summary>To the client.</summary>
    public Pipe Output { get; } = new(buffers.Output);

    /// <summary>The server's ends of both.</summary>
    public IDuplexPipe Server => field ??= new Pair(Input.Reader, Output.Writer);

    private sealed record Pair(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
