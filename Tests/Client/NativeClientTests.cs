using System.Diagnostics;
using System.Runtime.InteropServices;
using AspireChat.Contracts.Frames;
using AspireChat.Tests.Client.Api;
using Microsoft.AspNetCore.Http;

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
            await using var api = await ScriptedApi.StartAsync();
            api.Always = context => Answer(context)(context);
            var published = await RunAsync("dotnet",
                ["publish", Path.Combine(Root(), "eng/native-client/NativeClient.csproj"), "-o", output.FullName, "--nologo", "-v", "q", .. How()]);
            Assert.True(published.ExitCode == 0, published.Output);

            var program = Path.Combine(output.FullName, "AspireChat.NativeClient" + (OperatingSystem.IsWindows() ? ".exe" : ""));
            var chat = await RunAsync(program, [server.Address.ToString(), "alice", api.Address.ToString()]);

            Assert.Equal(
                (0,
                    """
                    hello from native code|hello from native code|{"native":true}
                    @bob: report|Public|0|0
                    1|Done|status 400|not_found
                    """.ReplaceLineEndings()),
                (chat.ExitCode, chat.Output.Trim()));
            Assert.Equal(
                [
                    """POST /api/rooms {"name":"Tea","sending":"moderators","members":["bob"]}""",
                    """PUT /api/rooms/tea/bans/eve {"until":"1970-01-01T00:00:00.000Z","reason":"spam"}""",
                    """POST /api/presence {"users":["bob"]}""",
                    """POST /api/admin/rooms/tea/messages {"content":"on its way","nonce":"n1","from":"shop","meta":{"order":1}}""",
                    """POST /api/admin/rooms/gone/members {"members":["bob"],"role":"moderator"}""",
                ],
                api.Calls.Where(call => call.Body.Length > 0).Select(call => $"{call} {call.Body}"));
        }
        finally
        {
            output.Delete(recursive: true);
        }
    }

    private static RequestDelegate Answer(HttpContext context) => context.Request.Path.Value switch
    {
        "/api/search" => ScriptedApi.Json(
            200,
            """
            {"items":[{"type":"dm","id":"i2","seq":2,"from":"bob","to":"alice","content":"report","timestamp":"2026-01-31T23:59:59.123Z"}],
             "next":null}
            """),
        "/api/admin/webhooks/dead-letters" => ScriptedApi.Json(
            200,
            """
            {"items":[{"id":"msg_1","webhook":0,"room":"tea","types":["message.created"],"events":1,"first":1,"last":1,"attempts":9,
              "error":"status 400","timestamp":"2026-01-31T23:59:59.123Z"}],"next":null}
            """),
        "/api/admin/rooms/gone/members" => ScriptedApi.Refuse(404, ErrorCodes.NotFound),
        _ => ScriptedApi.Json(200, ScriptedApi.Anything),
    };

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
