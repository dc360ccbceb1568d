using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace AspireChat.Tests.Acceptance;

[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class AccessTests(ChatSystem system)
{
    public static TheoryData<string> BadTokens => new("missing", "garbage", "expired", "alg none", "wrong key", "wrong audience", "wrong issuer", "bad subject");

    [Theory]
    [MemberData(nameof(BadTokens))]
    public async Task A_bad_token_is_refused_before_the_upgrade_and_by_the_API(string fault)
    {
        var token = await ForgeAsync(fault);
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        if (token is not null)
        {
            socket.Options.SetRequestHeader("Authorization", "Bearer " + token);
        }

        await Assert.ThrowsAsync<WebSocketException>(() =>
            socket.ConnectAsync(new UriBuilder(system.Gateway) { Scheme = "ws", Path = "/ws" }.Uri, CancellationToken.None));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/conversations");
        if (token is not null)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        using var answer = await system.Http.SendAsync(request);

        Assert.Equal(401, (int)socket.HttpStatusCode);
        Assert.Equal(401, (int)answer.StatusCode);
    }

    [Theory]
    [InlineData("query")]
    [InlineData("subprotocol")]
    public async Task A_browser_may_bring_its_token_as_query_or_as_subprotocol(string way)
    {
        var alice = ChatSystem.Unique("alice");
        var token = await system.TokenAsync(alice);
        using var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("aspirechat.v1");
        if (way == "subprotocol")
        {
            socket.Options.AddSubProtocol("bearer." + token);
        }

        var address = new UriBuilder(system.Gateway) { Scheme = "ws", Path = "/ws", Query = way == "query" ? "token=" + token : "" };

        await socket.ConnectAsync(address.Uri, CancellationToken.None);

        Assert.Equal("aspirechat.v1", socket.SubProtocol);
        var buffer = new byte[4096];
        var welcome = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
        Assert.Equal(alice, (string?)JsonNode.Parse(buffer.AsSpan(0, welcome.Count))!["user"]);
    }

    [Fact]
    public async Task Sockets_go_through_the_gateway_unless_a_node_has_an_address_of_its_own()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/socket-tickets");
        request.Headers.Authorization = new("Bearer", await system.TokenAsync(ChatSystem.Unique("alice")));

        using var answer = await system.Http.SendAsync(request);

        Assert.Equal(404, (int)answer.StatusCode);
        Assert.Contains("Tickets are off", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/", "text/html")]
    [InlineData("/aspirechat.js", "text/javascript")]
    [InlineData("/openapi/v1.json", "application/json")]
    [InlineData("/health", "text/plain")]
    [InlineData("/alive", "text/plain")]
    public async Task The_page_its_modules_the_description_and_health_need_no_token(string path, string type)
    {
        using var answer = await system.Http.GetAsync(path);

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>A token with exactly one fault. It is signed with the system's own key unless the key is the fault.</summary>
    private async Task<string?> ForgeAsync(string fault)
    {
        if (fault is "missing" or "garbage")
        {
            return fault == "missing" ? null : "garbage.garbage.garbage";
        }

        var real = (await system.TokenAsync("alice")).Split('.');
        var header = JsonNode.Parse(Decode(real[0]))!;
        var claims = JsonNode.Parse(Decode(real[1]))!;
        var key = await system.JwtKeyAsync();
        switch (fault)
        {
            case "alg none":
                header["alg"] = "none";
                return $"{Encode(header.ToJsonString())}.{real[1]}.";
            case "wrong key":
                key = new string('x', 64);
                break;
            case "expired":
                var past = (long)claims["exp"]! - 1_000_000;
                claims["exp"] = past;
                claims["nbf"] = past - 10;
                claims["iat"] = past - 10;
                break;
            case "wrong audience":
                claims["aud"] = "somebody-else";
                break;
            case "wrong issuer":
                claims["iss"] = "somebody-else";
                break;
            case "bad subject":
                claims["sub"] = "not a/valid id";
                break;
        }
        var signed = $"{real[0]}.{Encode(claims.ToJsonString())}";
        return $"{signed}.{Base64Url(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Decode(string part) =>
        Encoding.UTF8.GetString(Convert.FromBase64String(part.Replace('-', '+').Replace('_', '/').PadRight((part.Length + 3) / 4 * 4, '=')));

    private static string Encode(string text) => Base64Url(Encoding.UTF8.GetBytes(text));

    private static string Base64Url(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
