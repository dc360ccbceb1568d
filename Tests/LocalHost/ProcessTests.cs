using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AspireChat.Tests.LocalHost;

[Trait("Needs", "System")]
public sealed class ProcessTests
{
    [Fact]
    public async Task Resource_that_waits_for_completion_starts_after_the_other_ended()
    {
        var file = Path.GetTempFileName();
        await using var run = await HostRun.StartAsync(builder =>
        {
            var first = builder.AddExecutable("first", "/bin/sh", "/", "-c", $"echo done > {file}");
            builder.AddExecutable("second", "/bin/sh", "/", "-c", $"cat {file}").WaitForCompletion(first);
        });

        await run.EndOfAsync("second");

        Assert.Equal(["done"], await run.OutputAsync("second"));
        File.Delete(file);
    }

    [Fact]
    public async Task Resource_does_not_start_when_what_it_waits_for_ends_with_another_exit_code()
    {
        await using var run = await HostRun.StartAsync(builder =>
        {
            var first = builder.AddExecutable("first", "/bin/sh", "/", "-c", "exit 3");
            builder.AddExecutable("second", "/bin/sh", "/", "-c", "echo never").WaitForCompletion(first);
        });

        var ended = await run.EndOfAsync("second");

        Assert.Equal(KnownResourceStates.FailedToStart, ended.Snapshot.State?.Text);
        Assert.Empty(await run.OutputAsync("second"));
    }

    [Fact]
    public async Task Exit_code_and_last_words_of_a_process_are_kept()
    {
        await using var run = await HostRun.StartAsync(builder =>
            builder.AddExecutable("talker", "/bin/sh", "/", "-c", "echo out; echo err >&2; exit 7"));

        var ended = await run.EndOfAsync("talker");

        Assert.Equal(7, ended.Snapshot.ExitCode);
        Assert.Equal(["err", "out"], (await run.OutputAsync("talker")).Order());
    }

    [Fact]
    public async Task Process_that_ignores_the_request_to_stop_is_killed_with_its_children()
    {
        var run = await HostRun.StartAsync(
            builder => builder.AddExecutable("deaf", "/bin/sh", "/", "-c", "trap '' TERM; sleep 1000 & echo $!; wait; wait; sleep 1000"),
            "--LocalHost:StopSeconds=0");
        await run.States.WaitForResourceAsync("deaf", KnownResourceStates.Running, run.Patience);
        var shell = run.Pid("deaf");
        while ((await run.OutputAsync("deaf")).Count == 0) await Task.Yield();
        var sleeper = int.Parse((await run.OutputAsync("deaf"))[0], System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(Processes.Runs(shell) && Processes.Runs(sleeper));

        await run.DisposeAsync();

        await Processes.EndOfAsync(shell, sleeper);
    }

    [Fact]
    public async Task Unknown_program_is_named()
    {
        var refused = await Assert.ThrowsAsync<DistributedApplicationException>(() =>
            HostRun.StartAsync(builder => builder.AddExecutable("ghost", "no-such-program", "/")));

        Assert.Contains("no-such-program", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Busy_port_is_named_with_its_resource()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var port = ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;

        var refused = await Assert.ThrowsAsync<DistributedApplicationException>(() => HostRun.StartAsync(
            builder => builder.AddExecutable("server", "/bin/sh", "/").WithHttpEndpoint(port: port),
                "--DcpPublisher:RandomizePorts=false"));

        Assert.Contains($"Port {port} of 'server' is in use", refused.Message, StringComparison.Ordinal);
    }
}
