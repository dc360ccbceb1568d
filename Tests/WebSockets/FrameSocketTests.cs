using System.Net.Sockets;
using System.Text;
using AspireChat.Tests.ServiceDefaults;
using AspireChat.WebSockets;

namespace AspireChat.Tests.WebSockets;

/// <summary>One socket of an event loop: what waits when a side is slow, and how each end of it is noticed.</summary>
public sealed class FrameSocketTests
{
    private const int FrameBytes = 60_000;
    private const int Frames = 300;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_full_socket_makes_its_writer_wait_and_nothing_is_lost()
    {
        var written = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await StartAsync(async socket =>
        {
            var frames = 0;
            try
            {
                for (; frames < Frames; frames++)
                {
                    await WriteAsync(socket, frames);
                }
            }
            finally
            {
                written.SetResult(frames);
            }
            await socket.DiscardAsync();
        });
        await using var client = await RawClient.ConnectAsync(server.Address);

        // 18 MB are more than the kernel holds for a client that does not read.
        await Assert.ThrowsAsync<TimeoutException>(() => written.Task.WaitAsync(TimeSpan.FromMilliseconds(300)));
        for (var i = 0; i < Frames; i++)
        {
            var frame = await client.ReadAsync();
            Assert.Equal((FrameBytes, (byte)i), (frame!.Payload.Length, frame.Payload[0]));
        }

        Assert.Equal(Frames, await written.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task A_writer_that_waits_learns_that_the_connection_was_cut()
    {
        var (taken, fault) = (new TaskCompletionSource<FrameSocket>(), new TaskCompletionSource<Exception>());
        await using var server = await StartAsync(async socket =>
        {
            taken.SetResult(socket);
            fault.SetResult(await Assert.ThrowsAnyAsync<Exception>(async () =>
            {
                for (var i = 0; ; i++)
                {
                    await WriteAsync(socket, i);
                }
            }));
        });
        await using var client = await RawClient.ConnectAsync(server.Address);
        var socket = await taken.Task.WaitAsync(Patience);
        await Assert.ThrowsAsync<TimeoutException>(() => fault.Task.WaitAsync(TimeSpan.FromMilliseconds(300)));

        socket.Abort();

        Assert.IsType<SocketException>(await fault.Task.WaitAsync(Patience));
        Assert.True(socket.Closed.IsCancellationRequested);
    }

    [Fact]
    public async Task A_reader_learns_that_the_connection_was_cut()
    {
        var (taken, fault) = (new TaskCompletionSource<FrameSocket>(), new TaskCompletionSource<Exception>());
        await using var server = await StartAsync(async socket =>
        {
            taken.SetResult(socket);
            fault.SetResult(await Assert.ThrowsAnyAsync<Exception>(async () => await socket.ReadAsync()));
            // Whoever asks again gets the same answer at once.
            await Assert.ThrowsAsync<IOException>(async () => await socket.ReadAsync());
        });
        await using var client = await RawClient.ConnectAsync(server.Address);

        (await taken.Task.WaitAsync(Patience)).Abort();

        Assert.IsType<IOException>(await fault.Task.WaitAsync(Patience));
        Assert.Null(await client.ReadAsync());
    }

    [Fact]
    public async Task A_socket_whose_reader_does_something_else_is_not_read_and_keeps_the_order()
    {
        var texts = new List<string>();
        var (goOn, ended) = (new SemaphoreSlim(0), new TaskCompletionSource());
        await using var server = await StartAsync(async socket =>
        {
            while (await socket.ReadAsync() == MessageKind.Text)
            {
                texts.Add(Encoding.UTF8.GetString(socket.Text));
                Assert.False(socket.IsReading);
                await goOn.WaitAsync();
            }
            ended.SetResult();
        });
        await using var client = await RawClient.ConnectAsync(server.Address);
        var sent = Enumerable.Range(0, 50).Select(i => $"{i} {new string('x', i * 100)}").ToList();
        foreach (var text in sent)
        {
            await client.SendAsync(MaskedFrame.Encode(FrameHeader.Text, Encoding.UTF8.GetBytes(text), 7));
        }
        await client.SendAsync(MaskedFrame.Encode(FrameHeader.Close, [3, 232], 7));

        await Eventually.IsTrueAsync(() => texts.Count == 1, "the first message is read");
        goOn.Release(sent.Count);

        await ended.Task.WaitAsync(Patience);
        Assert.Equal(sent, texts);
    }

    private static ValueTask<int> WriteAsync(FrameSocket socket, int number)
    {
        var text = new byte[FrameBytes];
        text[0] = (byte)number;
        var frames = new FrameList();
        frames.Add(OutboundFrame.Of(text), ephemeral: false);
        return socket.WriteAsync(frames, from: 0);
    }

    private static async Task<Running> StartAsync(Func<FrameSocket, Task> session)
    {
        var server = new FrameServer { Session = session };
        await server.InitializeAsync();
        return new Running(server);
    }

    private sealed class Running(FrameServer server) : IAsyncDisposable
    {
        public Uri Address => server.Address;

        public async ValueTask DisposeAsync() => await server.DisposeAsync();
    }
}
