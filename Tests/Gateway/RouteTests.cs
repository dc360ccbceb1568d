using System.Net;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Gateway;

public sealed class RouteTests
{
    [Theory]
    [InlineData("a..b_", "/api/conversations", 400)]
    [InlineData("a..b_", "/ws", 400)]
    [InlineData("[::1]:8080", "/alive", 200)]
    [InlineData("chat_1.example.org", "/alive", 200)]
    public async Task A_host_that_is_no_name_is_refused(string host, string path, int status)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        var answer = await RawRequest.SendAsync(
            gateway.Address,
            $"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n" +
            $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {TestTokens.For("alice")}\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/api/rooms/lobby/messages", "connection")]
    [InlineData("POST", "/api/socket-tickets", "connection")]
    [InlineData("GET", "/api/rooms/lobby/messages?limit=5&before=x%2By", "persistence")]
    [InlineData("GET", "/api/rooms/lobby/members", "persistence")]
    [InlineData("GET", "/api/dms/bob/messages", "persistence")]
    [InlineData("GET", "/api/conversations", "persistence")]
    [InlineData("GET", "/api/search?q=a%20b", "persistence")]
    [InlineData("GET", "/api/users/bob/presence", "presence")]
    [InlineData("POST", "/api/presence", "presence")]
    [InlineData("HEAD", "/api/conversations", "persistence")]
    [InlineData("POST", "/api/admin/users/bob/disconnect", "connection")]
    [InlineData("GET", "/api/admin/webhooks/dead-letters?limit=5", "persistence")]
    [InlineData("POST", "/api/admin/webhooks/dead-letters/msg_1/replay", "persistence")]
    public async Task Each_path_goes_to_its_service_unchanged(string method, string target, string service)
    {
        await using var services = await Services.StartAsync();

        var response = await services.Gateway.SendAsync(
            new HttpMethod(method), target, TestTokens.For("alice", scope: "chat:admin"), method == "POST" ? new StringContent("{}") : null);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal((service, target), services.Seen.Select(seen => (seen.Backend, seen.RawTarget)).Single());
    }

    [Theory]
    [InlineData("/api/rooms/lobby/messages", "GET, HEAD, POST")]
    [InlineData("/api/rooms/lobby/members", "GET, HEAD")]
    [InlineData("/api/dms/bob/messages", "GET, HEAD")]
    [InlineData("/api/conversations", "GET, HEAD")]
    [InlineData("/api/search", "GET, HEAD")]
    [InlineData("/api/users/bob/presence", "GET, HEAD")]
    [InlineData("/api/presence", "POST")]
    [InlineData("/api/socket-tickets", "POST")]
    [InlineData("/api/admin/users/bob/disconnect", "POST")]
    [InlineData("/dev/token", "GET, HEAD, POST")]
    [InlineData("/openapi/v1.json", "GET, HEAD")]
    [InlineData("/health", "GET, HEAD")]
    [InlineData("/alive", "GET, HEAD")]
    [InlineData("/ws", "GET, HEAD")]
    public async Task A_method_that_a_path_does_not_have_is_405_with_all_that_it_has(string path, string methods)
    {
        await using var services = await Services.StartAsync();

        foreach (var method in new[] { "DELETE", "PUT", "PATCH", "TRACE", "OPTIONS", "BREW" })
        {
            var response = await services.Gateway.SendAsync(new HttpMethod(method), path, TestTokens.For("alice"));

            await Problems.AssertAsync(HttpStatusCode.MethodNotAllowed, response);
            Assert.Equal(methods, string.Join(", ", response.Content.Headers.Allow.Order(StringComparer.Ordinal)));
        }
        Assert.Empty(services.Seen);
    }

    [Fact]
    public async Task An_unknown_call_is_401_for_strangers_and_404_for_users()
    {
        await using var services = await Services.StartAsync();

        await Problems.AssertAsync(HttpStatusCode.Unauthorized, await services.Gateway.SendAsync(HttpMethod.Get, "/api/unknown"));
        await Problems.AssertAsync(
            HttpStatusCode.NotFound, await services.Gateway.SendAsync(HttpMethod.Get, "/api/unknown", TestTokens.For("alice")));
        Assert.Empty(services.Seen);
    }

    [Theory]
    [InlineData("/api/conversations")]
    [InlineData("/api/unknown")]
    [InlineData("/dev/token?user=alice")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/alive")]
    [InlineData("/nothing")]
    public async Task HEAD_is_answered_as_GET_is_and_has_no_body(string target)
    {
        await using var services = await Services.StartAsync();
        var request = $" {target} HTTP/1.1\r\nHost: {services.Gateway.Address.Authority}\r\nConnection: close\r\n" +
            $"Authorization: Bearer {TestTokens.For("alice")}\r\n\r\n";

        var get = await RawRequest.SendAsync(services.Gateway.Address, "GET" + request);
        var head = await RawRequest.SendAsync(services.Gateway.Address, "HEAD" + request);

        Assert.Equal(StatusOf(get), StatusOf(head));
        Assert.Equal(TypeOf(get), TypeOf(head));
        Assert.Equal("", BodyOf(head));
        Assert.NotEqual("", BodyOf(get));

        static string StatusOf(string answer) => answer.Split("\r\n")[0];
        static string BodyOf(string answer) => answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        static string? TypeOf(string answer) => answer.Split("\r\n")
            .FirstOrDefault(line => line.StartsWith("Content-Type:", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("GET", "/api/conversations", 200)]
    [InlineData("GET", "/api/rooms/lobby/messages", 200)]
    [InlineData("POST", "/api/presence", 200)]
    [InlineData("GET", "/api/unknown", 404)]
    [InlineData("DELETE", "/API/conversations", 405)]
    [InlineData("GET", "/dev/token?user=alice", 200)]
    [InlineData("GET", "/ws", 426)]
    public async Task What_is_meant_for_one_user_is_kept_in_no_cache(string method, string target, int status)
    {
        await using var services = await Services.StartAsync();

        var response = await services.Gateway.SendAsync(
            new HttpMethod(method), target, TestTokens.For("alice"), method == "POST" ? new StringContent("{}") : null);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
    }

    [Theory]
    [InlineData("/internal/rooms")]
    [InlineData("/Internal/rooms")]
    [InlineData("/api/../internal/rooms")]
    [InlineData("/api/%2e%2e/internal/rooms")]
    [InlineData("/api/%2E%2E/%69nternal/rooms")]
    [InlineData("//internal/rooms")]
    [InlineData("/ws/../internal/rooms")]
    [InlineData("/ws/internal")]
    [InlineData("/health/internal")]
    [InlineData("/nothing")]
    public async Task What_is_not_listed_does_not_exist_internal_paths_above_all(string target)
    {
        await using var services = await Services.StartAsync();

        var answer = await RawRequest.SendAsync(
            services.Gateway.Address,
            $"GET {target} HTTP/1.1\r\nHost: {services.Gateway.Address.Authority}\r\nConnection: close\r\n" +
            $"Authorization: Bearer {TestTokens.For("alice", scope: "chat:admin")}\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 404", answer, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
        Assert.Empty(services.Seen);
    }

    [Theory]
    [InlineData("/api/..%2finternal/rooms")]
    [InlineData("/api/%252e%252e/internal/rooms")]
    [InlineData("/api/..;/internal/rooms")]
    [InlineData("/api/x\\..\\..\\internal")]
    public async Task An_escaped_path_stays_below_api_behind_the_gateway_too(string target)
    {
        await using var services = await Services.StartAsync();

        await RawRequest.SendAsync(
            services.Gateway.Address,
            $"GET {target} HTTP/1.1\r\nHost: {services.Gateway.Address.Authority}\r\nConnection: close\r\n" +
            $"Authorization: Bearer {TestTokens.For("alice")}\r\n\r\n");

        Assert.All(services.Seen, seen =>
            Assert.StartsWith("/api/", new Uri(new Uri("http://x"), seen.RawTarget).AbsolutePath, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Disconnecting_a_user_needs_the_admin_scope()
    {
        await using var services = await Services.StartAsync();
        Task<HttpResponseMessage> Disconnect(string? scope) => services.Gateway.SendAsync(
            HttpMethod.Post, "/api/admin/users/bob/disconnect", TestTokens.For("alice", scope));

        await Problems.AssertAsync(HttpStatusCode.Forbidden, await Disconnect(null));
        await Problems.AssertAsync(HttpStatusCode.Forbidden, await Disconnect("chat:administrator notchat:admin"));
        Assert.Empty(services.Seen);
        Assert.Equal(HttpStatusCode.OK, (await Disconnect("profile chat:admin")).StatusCode);
        Assert.Equal("connection", services.Seen.Single().Backend);
    }

    [Fact]
    public async Task An_answer_is_passed_on_while_it_is_written()
    {
        await using var services = await Services.StartAsync();
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/rooms/slow/members");
        request.Headers.Add("Authorization", $"Bearer {TestTokens.For("alice")}");

        using var response = await services.Gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var body = await response.Content.ReadAsStreamAsync();
        var first = new byte[6];
        await body.ReadExactlyAsync(first).AsTask().WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var backend in services.Backends)
        {
            backend.Release();
        }

        var rest = await new StreamReader(body).ReadToEndAsync();

        Assert.Equal("first,"u8, first);
        Assert.Equal("second", rest);
    }

    [Fact]
    public async Task A_body_larger_than_any_call_of_the_contract_is_refused()
    {
        await using var services = await Services.StartAsync();

        var response = await services.Gateway.SendAsync(
            HttpMethod.Post, "/api/rooms/lobby/messages", TestTokens.For("alice"), new ByteArrayContent(new byte[200 * 1024]));

        await Problems.AssertAsync(HttpStatusCode.RequestEntityTooLarge, response);
    }

    private sealed class Services(RunningGateway gateway, EchoBackend[] backends) : IAsyncDisposable
    {
        public RunningGateway Gateway => gateway;

        public EchoBackend[] Backends => backends;

        public IEnumerable<SeenRequest> Seen => backends.SelectMany(backend => backend.Seen);

        public static async Task<Services> StartAsync()
        {
            EchoBackend[] backends =
            [
                await EchoBackend.StartAsync("connection"),
                await EchoBackend.StartAsync("presence"),
                await EchoBackend.StartAsync("persistence"),
            ];
            var gateway = await RunningGateway.StartAsync(
                [backends[0]],
                backends.ToDictionary(backend => $"services:{backend.Name}:http:0", string? (backend) => backend.Address));
            return new Services(gateway, backends);
        }

        public async ValueTask DisposeAsync()
        {
            await gateway.DisposeAsync();
            foreach (var backend in backends)
            {
                await backend.DisposeAsync();
            }
        }
    }
}
