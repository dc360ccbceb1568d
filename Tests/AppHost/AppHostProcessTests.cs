using System.Diagnostics;
using AspireChat.Servers;

namespace AspireChat.Tests.AppHost;

/// <summary>The AppHost as a developer starts it, in cases where it cannot start.</summary>
[Trait("Needs", "AppHost")]
[Trait("Needs", "PostgreSQL")]
public sealed class AppHostProcessTests : IDisposable
{
    // The AppHost's own output. That of the tests lacks files that only the AppHost needs.
    private static readonly string Program = Path.Combine(
        AppContext.BaseDirectory, "..", "..", "AppHost", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "AspireChat.AppHost.dll");

    private readonly string _folder = TemporaryFolder.Create("test");

    [Fact]
    public async Task Missing_redis_fails_the_start_with_one_line()
    {
        var path = Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName;
        foreach (var program in (string[])["dotnet", "setpriv", "sh", "postgres", "initdb"])
        {
            if (Programs.Find(program) is { } found)
            {
                File.CreateSymbolicLink(Path.Combine(path, program), found);
            }
        }

        var (exitCode, errors) = await RunAsync(("PATH", path));

        Assert.Equal(1, exitCode);
        Assert.Contains("AspireChat cannot start: redis-server was not found on the PATH", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    public void Dispose() => TemporaryFolder.Delete(_folder);

    private async Task<(int ExitCode, string Errors)> RunAsync(params (string Name, string Value)[] environment)
    {
        // All ports are free, because other tests check the ports.
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["exec", Program])
        {
            WorkingDirectory = Projects.AppHost.ProjectPath,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["ASPIRECHAT_PORT"] = "0",
                ["ASPNETCORE_URLS"] = $"http://localhost:{Ports.Free()}",
                ["ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL"] = $"http://localhost:{Ports.Free()}",
                ["ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL"] = $"http://localhost:{Ports.Free()}",
                ["ASPIRE_ALLOW_UNSECURED_TRANSPORT"] = "true",
                ["Servers"] = "processes",
                ["Data__Folder"] = Path.Combine(_folder, "data"),
            },
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var host = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var end = patience.Token.Register(static host => ((Process)host!).Kill(entireProcessTree: true), host);
        var errors = host.StandardError.ReadToEndAsync(CancellationToken.None);
        _ = await host.StandardOutput.ReadToEndAsync(CancellationToken.None);
        await host.WaitForExitAsync(CancellationToken.None);
        return (host.ExitCode, await errors);
    }
}
