using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using AspireChat.Gateway.WebClient;

namespace AspireChat.Tests.Gateway;

public sealed class WebClientTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("web-").FullName;

    public WebClientTests()
    {
        File.WriteAllText(Path.Combine(_root, "index.html"), "<!doctype html><title>chat</title>");
        File.WriteAllText(Path.Combine(_root, "app.js"), "export const a = 1;");
        File.WriteAllText(Path.Combine(_root, "module.mjs"), "export const b = 1;");
        File.WriteAllText(Path.Combine(_root, "style.css"), "body {}");
        File.WriteAllText(Path.Combine(_root, "icon.svg"), "<svg/>");
        File.WriteAllText(Path.Combine(_root, "unknown.secret"), "no type, not served");
        File.WriteAllText(Path.Combine(_root, "..", Path.GetFileName(_root) + ".txt"), "outside");
    }

    public void Dispose()
    {
        Directory.Delete(_root, recursive: true);
        File.Delete(_root + ".txt");
    }

    [Theory]
    [InlineData("/", "text/html; charset=utf-8")]
    [InlineData("/index.html", "text/html; charset=utf-8")]
    [InlineData("/app.js", "text/javascript; charset=utf-8")]
    [InlineData("/module.mjs", "text/javascript; charset=utf-8")]
    [InlineData("/style.css", "text/css; charset=utf-8")]
    [InlineData("/icon.svg", "image/svg+xml; charset=utf-8")]
    public async Task Files_are_served_without_a_token_typed_and_revalidated(string path, string type)
    {
        await using var gateway = await StartAsync();

        var response = await gateway.SendAsync(HttpMethod.Get, path);
        var again = new HttpRequestMessage(HttpMethod.Get, path);
        again.Headers.IfNoneMatch.Add(response.Headers.ETag!);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(type, response.Content.Headers.ContentType?.ToString());
        Assert.True(response.Headers.CacheControl?.NoCache);
        Assert.Equal(HttpStatusCode.NotModified, (await gateway.Http.SendAsync(again)).StatusCode);
    }

    [Theory]
    [InlineData("/missing.js")]
    [InlineData("/unknown.secret")]
    [InlineData("/../{root}.txt")]
    [InlineData("/%2e%2e/{root}.txt")]
    [InlineData("/..%2f{root}.txt")]
    public async Task Nothing_else_is_served(string path)
    {
        await using var gateway = await StartAsync();

        var target = path.Replace("{root}", Path.GetFileName(_root), StringComparison.Ordinal);
        var answer = await RawRequest.SendAsync(gateway.Address, $"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 404", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", HttpStatusCode.OK)]
    [InlineData("/missing", HttpStatusCode.NotFound)]
    [InlineData("/api/conversations", HttpStatusCode.Unauthorized)]
    [InlineData("/alive", HttpStatusCode.OK)]
    [InlineData("/dev/token?user=alice", HttpStatusCode.OK)]
    public async Task Every_answer_carries_the_strict_policy(string path, HttpStatusCode status)
    {
        await using var gateway = await StartAsync();

        var response = await gateway.SendAsync(HttpMethod.Get, path);

        Assert.Equal(status, response.StatusCode);
        var policy = response.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
        Assert.EndsWith(
            $"connect-src 'self' ws://{gateway.Address.Authority} wss://{gateway.Address.Authority}", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task The_page_shows_pictures_from_listed_origins_alone()
    {
        await using var gateway = await RunningGateway.StartAsync([], new()
        {
            ["Gateway:WebRoot"] = _root, ["Gateway:ImageOrigins:0"] = "https://cdn.example.org", ["Gateway:ImageOrigins:1"] = "https:",
        });

        var response = await gateway.SendAsync(HttpMethod.Get, "/");

        Assert.Contains("; img-src 'self' data: https://cdn.example.org https:; font-src", response.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://cdn.example.org", true)]
    [InlineData("http://localhost:5080/", true)]
    [InlineData("https:", true)]
    [InlineData("*", false)]
    [InlineData("cdn.example.org", false)]
    [InlineData("https://cdn.example.org/pictures", false)]
    [InlineData("https://cdn.example.org; script-src *", false)]
    [InlineData("data:", false)]
    public void An_origin_of_images_is_one_that_the_policy_can_name(string origin, bool isOne) =>
        Assert.Equal(isOne, SecurityHeaders.IsImageSource(origin));

    [Theory]
    [InlineData("chat.example.org", " ws://chat.example.org wss://chat.example.org")]
    [InlineData("[::1]:8080", " ws://[::1]:8080 wss://[::1]:8080")]
    [InlineData("a'none'", "")]
    [InlineData("a!b", "")]
    public async Task The_policy_lets_the_page_connect_to_its_own_host_alone_whatever_Host_says(string host, string sockets)
    {
        await using var gateway = await StartAsync();

        var answer = await RawRequest.SendAsync(gateway.Address, $"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");

        Assert.Contains($"connect-src 'self'{sockets}\r\n", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/app.js")]
    public async Task HEAD_tells_a_file_and_sends_none(string path)
    {
        await using var gateway = await StartAsync();

        var answer = await RawRequest.SendAsync(gateway.Address, $"HEAD {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        Assert.Contains($"Content-Length: {new FileInfo(Path.Combine(_root, path == "/" ? "index.html" : path[1..])).Length}\r\n",
            answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_description_of_the_API_is_complete_and_consistent()
    {
        await using var gateway = await StartAsync();

        var response = await gateway.SendAsync(HttpMethod.Get, "/openapi/v1.json");
        var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        var again = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
        again.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(response.Headers.ETag!.ToString()));

        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(HttpStatusCode.NotModified, (await gateway.Http.SendAsync(again)).StatusCode);
        Assert.StartsWith("3.1.", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        string[] operations = [.. document.GetProperty("paths").EnumerateObject().SelectMany(path => path.Value.EnumerateObject()
            .Where(operation => operation.Name is not "parameters").Select(operation => $"{operation.Name} {path.Name}"))];
        Assert.Equal(
            new[]
            {
                "delete /api/admin/rooms/{room}", "delete /api/admin/rooms/{room}/bans/{user}",
                "delete /api/admin/rooms/{room}/members/{user}", "delete /api/admin/rooms/{room}/messages/{seq}",
                "delete /api/admin/rooms/{room}/mutes/{user}", "delete /api/admin/users/{user}", "delete /api/rooms/{room}",
                "delete /api/rooms/{room}/bans/{user}", "delete /api/rooms/{room}/members/{user}",
                "delete /api/rooms/{room}/mutes/{user}", "get /", "get /alive", "get /api/admin/erasures/{id}", "get /api/admin/rooms",
                "get /api/admin/rooms/{room}/bans", "get /api/admin/users", "get /api/admin/users/{user}/export",
                "get /api/admin/webhooks/dead-letters", "get /api/conversations", "get /api/dms/{user}/messages", "get /api/rooms",
                "get /api/rooms/{room}", "get /api/rooms/{room}/bans", "get /api/rooms/{room}/members", "get /api/rooms/{room}/messages",
                "get /api/search", "get /api/users", "get /api/users/{user}/presence", "get /dev/token", "get /health",
                "get /openapi/v1.json", "get /ws", "patch /api/admin/rooms/{room}", "patch /api/rooms/{room}",
                "post /api/admin/dms/{user}/messages", "post /api/admin/rooms/{room}/members", "post /api/admin/rooms/{room}/messages",
                "post /api/admin/users/{user}/disconnect", "post /api/admin/users/{user}/revoke",
                "post /api/admin/webhooks/dead-letters/{id}/replay", "post /api/presence", "post /api/rooms",
                "post /api/rooms/{room}/messages", "post /api/socket-tickets", "post /dev/token", "put /api/admin/rooms/{room}",
                "put /api/admin/rooms/{room}/bans/{user}", "put /api/admin/rooms/{room}/members/{user}",
                "put /api/admin/rooms/{room}/mutes/{user}", "put /api/admin/users/{user}", "put /api/rooms/{room}/bans/{user}",
                "put /api/rooms/{room}/members/{user}", "put /api/rooms/{room}/mutes/{user}",
            },
            operations.Order(StringComparer.Ordinal));
        var references = References(document).Distinct().ToArray();
        Assert.NotEmpty(references);
        foreach (var reference in references)
        {
            Assert.True(Resolves(document, reference), reference);
        }
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member =>
            member is { Name: "$ref", Value.ValueKind: JsonValueKind.String } ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };

    private static bool Resolves(JsonElement document, string reference)
    {
        var at = document;
        foreach (var part in reference.Split('/').Skip(1))
        {
            if (!at.TryGetProperty(part, out at))
            {
                return false;
            }
        }
        return reference.StartsWith("#/", StringComparison.Ordinal);
    }

    private Task<RunningGateway> StartAsync() => RunningGateway.StartAsync([], new() { ["Gateway:WebRoot"] = _root });
}
