using System.Diagnostics;
using System.Runtime.InteropServices;

namespace AspireChat.Tests.Client;

/// <summary>
/// The client in a program without reflection and without a runtime to compile at run time. Any warning of the native compiler is an error.
/// Where there is no linker for it, the program is trimmed instead.
/// </summary>
public sealed class NativeClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task A_program_that_is_compiled_to_native_code_chats()
    {
        var output = Directory.CreateTempSubdirectory("native-client-");
        try
        {
            await using var server = await FaultServer.StartAsync();
            var published = await RunAsync("dotnet",
                ["publish", Path.Combine(Root(), "eng/native-client/NativeClient.csproj"), "-o", output.FullName, "--nologo", "-v", "q", .. How()]);
            Assert.True(published.ExitCode == 0, published.Output);

            var program = Path.Combine(output.FullName, "AspireChat.NativeClient" + (OperatingSystem.IsWindows() ? ".exe" : ""));
            var chat = await RunAsync(program, [server.Address.ToString(), "alice"]);

            Assert.Equal((0, "hello from native code|hello from native code|{\"native\":true}"), (chat.ExitCode, chat.Output.Trim()));
        }
        finally
        {
            output.Delete(recursive: true);
        }
    }

    /// <summary>As native code with the linker that is there, else trimmed.</summary>
    private static string[] How() =>
        !RuntimeInformation.IsOSPlatform(OSPlatform.Linux) || IsInPath("clang") ? []
        : IsInPath("gcc") && File.Exists("/usr/include/zlib.h") ? ["-p:CppCompilerAndLinker=gcc"]
        : ["-p:PublishTrimmed=true"];

    private static bool IsInPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "AspireChat.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("The test does not run inside the repository.");
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        return (process.ExitCode, await output + await errors);
    }
}
