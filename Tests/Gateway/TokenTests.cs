using System.Net;
using System.Net.WebSockets;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.Tests.Gateway;

public sealed class TokenTests
{
    /// <summary>
    /// A test makes its token when it runs. Data of theories is read once, when tests are discovered, and a token of then would have expired.
    /// </summary>
    internal static readonly Dictionary<string, Func<string?>> RefusedTokens = new()
    {
        ["missing"] = () => null,
        ["empty"] = () => "",
        ["garbage"] = () => "garbage",
        ["garbage in three parts"] = () => "a.b.c",
        ["expired"] = () => TestTokens.For("alice", expiresIn: -30),
        ["expired beyond the forgiven skew"] = () => TestTokens.For("alice", expiresIn: -7),
        ["not valid yet"] = () => TestTokens.For("alice", expiresIn: 6_000, startsIn: 3_000),
        ["without an end"] = () => TestTokens.For("alice", expiresIn: null),
        ["unsigned"] = () => TestTokens.WithoutAlgorithm("alice"),
        ["unsigned with a signature"] = () => TestTokens.WithoutAlgorithm("alice", keepSignature: true),
        ["altered"] = () => TestTokens.Altered("alice", "mallo"),
        ["of another key"] = () => TestTokens.For("alice", key: "another key that is long enough: 0123456789"),
        ["of another issuer"] = () => TestTokens.For("alice", issuer: "somebody"),
        ["for another audience"] = () => TestTokens.For("alice", audience: "somebody"),
        ["for internal calls"] = () => TestTokens.For("alice", audience: "aspirechat-internal"),
        ["of an algorithm not listed"] = () => TestTokens.For("alice", algorithm: SecurityAlgorithms.HmacSha512),
        ["without a subject"] = () => TestTokens.For(null),
        ["of a subject that is no user id"] = () => TestTokens.For("a/b"),
        ["of a subject that is too long"] = () => TestTokens.For(new string('a', 129)),
        ["of a subject that is a path"] = () => TestTokens.For(".."),
        ["of the server's own name"] = () => TestTokens.For("system"),
        ["of two subjects"] = () => TestTokens.Raw("\"exp\":4000000000,\"sub\":[\"alice\",\"bob\"]"),
        ["of rooms that are a number"] = () => TestTokens.Raw("\"exp\":4000000000,\"rooms\":7"),
        ["of rooms that are a list"] = () => TestTokens.Raw("\"exp\":4000000000,\"rooms\":[\"lobby\"]"),
        ["of rooms that are an empty list"] = () => TestTokens.Raw("\"exp\":4000000000,\"rooms\":[]"),
        ["of rooms that are nothing"] = () => TestTokens.Raw("\"exp\":4000000000,\"rooms\":null"),
        ["of rooms with an unknown right"] = () => TestTokens.Raw("\"exp\":4000000000,\"rooms\":{\"lobby\":[\"own\"]}"),
        ["of rooms that are no rooms"] = () => TestTokens.Raw("\"exp\":4000000000,\"rooms\":{\"a/b\":[\"read\"]}"),
        ["that ends in the year 10000"] = () => TestTokens.Raw("\"exp\":253402300800"),
        ["that ends at the largest number"] = () => TestTokens.Raw("\"exp\":9223372036854775807"),
        ["that ends beyond the largest number"] = () => TestTokens.Raw("\"exp\":99999999999999999999999999999999"),
        ["that ends at 1e300"] = () => TestTokens.Raw("\"exp\":1e300"),
        ["that ended before all time"] = () => TestTokens.Raw("\"exp\":-9223372036854775808"),
        ["whose end is a text"] = () => TestTokens.Raw("\"exp\":\"tomorrow\""),
        ["whose end is a list"] = () => TestTokens.Raw("\"exp\":[4000000000,4000000001]"),
        ["whose end is an object"] = () => TestTokens.Raw("\"exp\":{}"),
        ["whose end is nothing"] = () => TestTokens.Raw("\"exp\":null"),
        ["that begins in the year 10000"] = () => TestTokens.Raw("\"exp\":4000000000,\"nbf\":253402300800"),
        ["that begins before 1970"] = () => TestTokens.Raw("\"exp\":4000000000,\"nbf\":-1"),
        ["that begins at 1e300"] = () => TestTokens.Raw("\"exp\":4000000000,\"nbf\":1e300"),
        ["that was issued in the year 10000"] = () => TestTokens.Raw("\"exp\":4000000000,\"iat\":253402300800"),
        ["that was issued before 1970"] = () => TestTokens.Raw("\"exp\":4000000000,\"iat\":-62135596801"),
        ["that was issued by a text"] = () => TestTokens.Raw("\"exp\":4000000000,\"iat\":\"once\""),
    };

    public static TheoryData<string> Refused => [.. RefusedTokens.Keys];

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_bad_token_is_refused_before_the_upgrade_wherever_it_stands(string kind)
    {
        var token = RefusedTokens[kind]();
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        foreach (var response in new[]
        {
            await gateway.HandshakeAsync(token is null ? "/ws" : $"/ws?token={token}"),
            await gateway.HandshakeAsync("/ws", ("Authorization", $"Bearer {token}")),
            await gateway.HandshakeAsync("/ws", ("Sec-WebSocket-Protocol", $"aspirechat.v1, bearer.{token}")),
            await gateway.SendAsync(HttpMethod.Get, "/ws", token),
            await gateway.SendAsync(HttpMethod.Get, "/api/conversations", token),
            await gateway.SendAsync(HttpMethod.Get, $"/api/conversations?token={token}"),
        })
        {
            var code = await Problems.CodeOfAsync(HttpStatusCode.Unauthorized, response);
            Assert.Contains(code, new[] { "token_missing", "token_invalid", "token_expired" });
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.First().Scheme);
        }
        Assert.Empty(backend.Seen);
    }

    [Theory]
    [InlineData("\"exp\":253402300799")]
    [InlineData("\"exp\":4000000000.75,\"nbf\":1000000000.5,\"iat\":1000000000.25")]
    [InlineData("\"exp\":4e9,\"nbf\":0")]
    public async Task Times_that_a_date_can_hold_are_accepted_fractions_too(string claims)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        var response = await gateway.SendAsync(HttpMethod.Get, "/api/conversations", TestTokens.Raw(claims));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_problem_tells_a_missing_an_expired_and_a_bad_token_apart()
    {
        await using var gateway = await RunningGateway.StartAsync([]);
        async Task<string?> CodeOf(string? token) =>
            await Problems.CodeOfAsync(HttpStatusCode.Unauthorized, await gateway.SendAsync(HttpMethod.Get, "/ws", token));

        Assert.Equal("token_missing", await CodeOf(null));
        Assert.Equal("token_expired", await CodeOf(TestTokens.For("alice", expiresIn: -30)));
        Assert.Equal("token_invalid", await CodeOf("garbage"));
    }

    /// <summary>What the problem's detail says of some of them.</summary>
    private static readonly Dictionary<string, string> WordsByKind = new()
    {
        ["of another key"] = "signature",
        ["altered"] = "signature",
        ["expired"] = "expired",
        ["not valid yet"] = "not valid yet",
        ["without an end"] = "no end",
        ["of another issuer"] = "issuer",
        ["for another audience"] = "audience",
        ["of a subject that is no user id"] = "user id",
        ["without a subject"] = "user id",
        ["of the server's own name"] = "user id",
        ["of an algorithm not listed"] = "algorithm",
        ["unsigned"] = "algorithm",
        ["of rooms that are a number"] = "rooms",
        ["that ends at the largest number"] = "time",
        ["garbage in three parts"] = "JSON Web Token",
    };

    public static TheoryData<string> Kinds => [.. WordsByKind.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_detail_says_what_is_wrong_by_kind_and_quotes_nothing_of_the_token(string kind)
    {
        var (token, word) = (RefusedTokens[kind]()!, WordsByKind[kind]);
        await using var gateway = await RunningGateway.StartAsync([]);

        var problem = await Problems.AssertAsync(HttpStatusCode.Unauthorized, await gateway.SendAsync(HttpMethod.Get, "/api/conversations", token));

        var detail = problem.GetProperty("detail").GetString()!;
        Assert.Contains(word, detail, StringComparison.Ordinal);
        Assert.DoesNotContain("somebody", detail, StringComparison.Ordinal);
        Assert.All(token.Split('.').Where(part => part.Length > 3), part => Assert.DoesNotContain(part, problem.GetRawText(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_good_token_reaches_the_service_as_a_header_and_nowhere_else()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        var token = TestTokens.For("alice");

        var (_, byQuery) = await gateway.ConnectAsync($"/ws?a=1%20b&token={token}&c=%C3%A4&Token={token}");
        var (_, byHeader) = await gateway.ConnectAsync("/ws", options => options.SetRequestHeader("Authorization", $"Bearer {token}"));
        var (socket, byProtocol) = await gateway.ConnectAsync("/ws", options =>
        {
            options.AddSubProtocol("aspirechat.v1");
            options.AddSubProtocol($"bearer.{token}");
        });

        Assert.Equal("aspirechat.v1", socket.SubProtocol);
        Assert.Equal("aspirechat.v1", byProtocol.Headers["Sec-WebSocket-Protocol"]);
        Assert.Equal("/ws?a=1%20b&c=%C3%A4", byQuery.RawTarget);
        Assert.Equal("/ws", byHeader.RawTarget);
        foreach (var seen in new[] { byQuery, byHeader, byProtocol })
        {
            Assert.Equal($"Bearer {token}", seen.Headers["Authorization"]);
            Assert.Single(seen.Headers, header => header.Value.Contains(token, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task The_token_protocol_alone_is_neither_forwarded_nor_answered()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        var response = await gateway.HandshakeAsync("/ws", ("Sec-WebSocket-Protocol", $"bearer.{TestTokens.For("alice")}"));

        Assert.Equal(HttpStatusCode.SwitchingProtocols, response.StatusCode);
        Assert.False(response.Headers.Contains("Sec-WebSocket-Protocol"));
        Assert.False(backend.Seen.Single().Headers.ContainsKey("Sec-WebSocket-Protocol"));
    }

    [Fact]
    public async Task A_header_wins_over_the_query_so_that_a_link_cannot_change_who_calls()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        var (alice, mallory) = (TestTokens.For("alice"), TestTokens.For("mallory"));

        await gateway.SendAsync(HttpMethod.Get, $"/api/conversations?token={mallory}", alice);

        Assert.Equal($"Bearer {alice}", backend.Seen.Single().Headers["Authorization"]);
        Assert.Equal("/api/conversations", backend.Seen.Single().RawTarget);
    }

    [Fact]
    public async Task Identity_headers_and_cookies_from_outside_are_dropped()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        string[] forged =
        [
            "X-User", "X-User-Id", "X-Auth-Request-User", "X-Forwarded-User", "Remote-User", "X-AspireChat-User", "X-Internal-Token",
            "X-MS-CLIENT-PRINCIPAL-ID", "X-Original-URL", "X-HTTP-Method-Override", "Cookie",
        ];

        var response = await gateway.HandshakeAsync(
            $"/ws?token={TestTokens.For("alice")}",
            [
                .. forged.Select(name => (name, "mallory")), ("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Host", "evil.example"),
                ("X-Request-Tag", "kept"),
            ]);

        Assert.Equal(HttpStatusCode.SwitchingProtocols, response.StatusCode);
        var seen = backend.Seen.Single();
        Assert.DoesNotContain(seen.Headers, header => header.Value.Contains("mallory", StringComparison.Ordinal));
        Assert.Equal("kept", seen.Headers["X-Request-Tag"]);
        Assert.Equal("127.0.0.1", seen.Headers["X-Forwarded-For"]);
        Assert.Equal(gateway.Address.Authority, seen.Headers["X-Forwarded-Host"]);
    }

    [Fact]
    public async Task No_token_is_written_to_a_log_or_a_trace()
    {
        using var activities = new CapturedActivities();
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);
        string[] tokens =
        [
            TestTokens.For("alice"), TestTokens.For("bob", expiresIn: -30), TestTokens.For("carol", key: new string('k', 40)),
            TestTokens.For("dave", audience: "somebody"), TestTokens.For("a/b"),
        ];
        foreach (var token in tokens)
        {
            await gateway.HandshakeAsync($"/ws?token={token}");
            await gateway.HandshakeAsync("/ws", ("Authorization", $"Bearer {token}"));
            await gateway.HandshakeAsync("/ws", ("Sec-WebSocket-Protocol", $"aspirechat.v1, bearer.{token}"));
            await gateway.SendAsync(HttpMethod.Get, $"/api/conversations?token={token}");
            await gateway.SendAsync(HttpMethod.Get, $"/nothing?token={token}");
            // A target that the server itself refuses, and would quote.
            await RawRequest.SendAsync(gateway.Address, $"GET /ws?token={token}\u0001\u00ff HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        await gateway.DisposeAsync();

        Assert.Contains(gateway.Logs.Lines, line => line.Contains("Proxying to", StringComparison.Ordinal));
        // A socket is no trace: only requests are.
        Assert.Contains(activities.Stopped, activity => activity.Contains("url.path, /api/conversations", StringComparison.Ordinal));
        foreach (var token in tokens)
        {
            var secret = TestTokens.SignatureOf(token);
            Assert.DoesNotContain(gateway.Logs.Lines, line => line.Contains(secret, StringComparison.Ordinal));
            Assert.DoesNotContain(activities.Stopped, activity => activity.Contains(secret, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_client_that_was_refused_can_try_again_with_a_better_token()
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        await Assert.ThrowsAsync<WebSocketException>(() => gateway.ConnectAsync("/ws?token=garbage"));
        var (socket, seen) = await gateway.ConnectAsync();

        Assert.Equal(WebSocketState.Open, socket.State);
        Assert.Equal("GET", seen.Method);
    }
}
