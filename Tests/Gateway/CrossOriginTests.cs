using System.Net;

namespace AspireChat.Tests.Gateway;

/// <summary>Product §6 and §7: what pages of other origins may do.</summary>
public sealed class CrossOriginTests
{
    private const string Listed = "https://shop.example.org";

    [Theory]
    [InlineData("/api/rooms/lobby/messages", "POST")]
    [InlineData("/api/admin/users/alice", "PUT")]
    [InlineData("/api/rooms/lobby", "PATCH")]
    [InlineData("/api/rooms/lobby", "DELETE")]
    [InlineData("/dev/token", "POST")]
    public async Task A_preflight_of_a_listed_origin_allows_the_methods_and_headers_of_the_API(string path, string method)
    {
        await using var gateway = await StartAsync();

        var answer = await SendAsync(
            gateway, HttpMethod.Options, path, Listed,
            ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "authorization,content-type"));

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(Listed, Header(answer, "Access-Control-Allow-Origin"));
        Assert.Contains(method, Header(answer, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
        Assert.Contains("Authorization", Header(answer, "Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Content-Type", Header(answer, "Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
    }

    [Fact]
    public async Task Answers_and_errors_to_a_listed_origin_can_be_read()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await StartAsync(backend, new()
        {
            ["Gateway:RateLimits:RequestsPerAddress:PerSecond"] = "1",
            ["Gateway:RateLimits:RequestsPerAddress:Burst"] = "6",
        });
        await using var alone = await StartAsync();
        var token = TestTokens.For("alice");
        (HttpStatusCode Status, HttpResponseMessage Answer)[] answers =
        [
            (HttpStatusCode.OK, await SendAsync(gateway, HttpMethod.Get, "/api/conversations", Listed, ("Authorization", $"Bearer {token}"))),
            (HttpStatusCode.OK, await SendAsync(gateway, HttpMethod.Get, "/dev/token?user=alice", Listed)),
            (HttpStatusCode.OK, await SendAsync(gateway, HttpMethod.Get, "/aspirechat.js", Listed)),
            (HttpStatusCode.OK, await SendAsync(gateway, HttpMethod.Get, "/lib/client.js", Listed)),
            (HttpStatusCode.Unauthorized, await SendAsync(gateway, HttpMethod.Get, "/api/conversations", Listed)),
            (HttpStatusCode.NotFound, await SendAsync(gateway, HttpMethod.Get, "/api/nothing", Listed, ("Authorization", $"Bearer {token}"))),
            (HttpStatusCode.TooManyRequests, await SendAsync(gateway, HttpMethod.Get, "/api/conversations", Listed)),
            (HttpStatusCode.ServiceUnavailable, await SendAsync(alone, HttpMethod.Get, "/api/conversations", Listed, ("Authorization", $"Bearer {token}"))),
        ];

        Assert.All(answers, each =>
        {
            Assert.Equal(each.Status, each.Answer.StatusCode);
            Assert.Equal(Listed, Header(each.Answer, "Access-Control-Allow-Origin"));
            Assert.Contains("Retry-After", Header(each.Answer, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.Contains("Location", Header(each.Answer, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.Contains("Origin", Header(each.Answer, "Vary"), StringComparison.Ordinal);
            Assert.False(each.Answer.Headers.Contains("Access-Control-Allow-Credentials"));
        });
    }

    [Theory]
    [InlineData("https://evil.example.org")]
    [InlineData("https://shop.example.org.evil.example")]
    [InlineData("http://shop.example.org")]
    [InlineData("null")]
    public async Task An_unlisted_origin_gets_no_such_headers_and_its_socket_is_refused(string origin)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await StartAsync(backend);
        var token = TestTokens.For("alice");

        foreach (var answer in new[]
        {
            await SendAsync(gateway, HttpMethod.Options, "/api/conversations", origin, ("Access-Control-Request-Method", "GET")),
            await SendAsync(gateway, HttpMethod.Get, "/api/conversations", origin, ("Authorization", $"Bearer {token}")),
            await SendAsync(gateway, HttpMethod.Get, "/api/conversations", origin),
            await SendAsync(gateway, HttpMethod.Get, "/dev/token?user=alice", origin),
            await SendAsync(gateway, HttpMethod.Get, "/aspirechat.js", origin),
        })
        {
            Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await gateway.HandshakeAsync($"/ws?token={token}", ("Origin", origin))).StatusCode);
        Assert.Equal(HttpStatusCode.SwitchingProtocols, (await gateway.HandshakeAsync($"/ws?token={token}", ("Origin", Listed))).StatusCode);
    }

    [Fact]
    public async Task What_is_not_for_other_pages_has_no_such_headers_even_for_a_listed_origin()
    {
        await using var gateway = await StartAsync();

        Assert.False((await SendAsync(gateway, HttpMethod.Get, "/", Listed)).Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False((await SendAsync(gateway, HttpMethod.Get, "/app/main.js", Listed)).Headers.Contains("Access-Control-Allow-Origin"));
    }

    private static Task<RunningGateway> StartAsync(EchoBackend? backend = null, Dictionary<string, string?>? settings = null) =>
        RunningGateway.StartAsync(backend is null ? [] : [backend], new(settings ?? []) { ["Gateway:AllowedOrigins:0"] = Listed });

    private static Task<HttpResponseMessage> SendAsync(
        RunningGateway gateway, HttpMethod method, string path, string origin, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Origin", origin);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return gateway.Http.SendAsync(request);
    }

    private static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";
}
