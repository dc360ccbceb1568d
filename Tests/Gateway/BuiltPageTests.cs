using System.Net;
using System.Text;

namespace AspireChat.Tests.Gateway;

/// <summary>The web client as its build makes it: hashed names, and files that were compressed ahead.</summary>
public sealed class BuiltPageTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("page-").FullName;

    public BuiltPageTests()
    {
        Directory.CreateDirectory(Path.Combine(_root, "assets"));
        foreach (var name in new[] { "index.html", "sw.js", "assets/app-1.js" })
        {
            foreach (var extension in new[] { "", ".br", ".gz" })
            {
                File.WriteAllText(Path.Combine(_root, name + extension), name + extension);
            }
        }
        File.WriteAllText(Path.Combine(_root, "icon.svg"), "icon.svg");
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("/assets/app-1.js", "gzip, deflate, br", "br", "assets/app-1.js.br")]
    [InlineData("/assets/app-1.js", "gzip;q=1.0, br;q=0.5", "br", "assets/app-1.js.br")]
    [InlineData("/assets/app-1.js", "gzip, br;q=0", "gzip", "assets/app-1.js.gz")]
    [InlineData("/assets/app-1.js", "GZIP", "gzip", "assets/app-1.js.gz")]
    [InlineData("/assets/app-1.js", "identity", "", "assets/app-1.js")]
    [InlineData("/assets/app-1.js", "", "", "assets/app-1.js")]
    [InlineData("/", "br", "br", "index.html.br")]
    public async Task The_best_encoding_that_the_browser_accepts_is_sent(string path, string accepted, string encoding, string content)
    {
        await using var gateway = await StartAsync();

        var response = await GetAsync(gateway, path, accepted);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(encoding, string.Join(", ", response.Content.Headers.ContentEncoding));
        Assert.Equal(content, Encoding.UTF8.GetString(await response.Content.ReadAsByteArrayAsync()));
        Assert.Equal(path is "/" ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.Equal(["Accept-Encoding"], response.Headers.Vary);
    }

    [Theory]
    [InlineData("/assets/app-1.js", "public, max-age=31536000, immutable")]
    [InlineData("/", "no-store")]
    [InlineData("/index.html", "no-store")]
    [InlineData("/sw.js", "no-store")]
    [InlineData("/icon.svg", "no-cache")]
    public async Task Hashed_files_are_kept_for_ever_and_the_entry_is_not_kept(string path, string cacheControl)
    {
        await using var gateway = await StartAsync();

        foreach (var accepted in new[] { "br", "" })
        {
            var response = await GetAsync(gateway, path, accepted);
            var said = response.Headers.GetValues("Cache-Control").Single();
            Assert.Equal(cacheControl.Split(", ").Order(), said.Split(", ").Order());
        }
    }

    [Theory]
    [InlineData("/assets/app-1.js.br")]
    [InlineData("/index.html.gz")]
    [InlineData("/assets/app-2.js")]
    public async Task A_compressed_file_has_no_address_of_its_own(string path)
    {
        await using var gateway = await StartAsync();

        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(gateway, path, "br")).StatusCode);
    }

    private static Task<HttpResponseMessage> GetAsync(RunningGateway gateway, string path, string accepted)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (accepted.Length > 0)
        {
            request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);
        }

        return gateway.Http.SendAsync(request);
    }

    private Task<RunningGateway> StartAsync() => RunningGateway.StartAsync([], new() { ["Gateway:WebRoot"] = _root });
}
