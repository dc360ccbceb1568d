using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.Tests.Gateway;

public sealed class DevTokenTests
{
    [Theory]
    [InlineData("""{"user":"alice"}""", 3600, null, null)]
    [InlineData("""{"user":"alice","name":"Alice Ä","expiresIn":60,"scope":"chat:admin","more":1}""", 60, "Alice Ä", "chat:admin")]
    public async Task A_token_is_what_was_asked_for_and_opens_a_socket(string body, int seconds, string? name, string? scope)
    {
        await using var backend = await EchoBackend.StartAsync();
        await using var gateway = await RunningGateway.StartAsync([backend]);

        var answer = await ReadAsync(await PostAsync(gateway, body));

        var (text, expires) = (answer.GetProperty("token").GetString()!, answer.GetProperty("expires").GetDateTimeOffset());
        var token = new JsonWebToken(text);
        Assert.Equal("alice", answer.GetProperty("user").GetString());
        Assert.Equal("alice", token.Subject);
        Assert.Equal(name, token.TryGetPayloadValue<string>("name", out var value) ? value : null);
        Assert.Equal(scope, token.TryGetPayloadValue("scope", out value) ? value : null);
        Assert.Equal(expires.UtcDateTime, token.ValidTo);
        Assert.InRange(expires - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(seconds - 5), TimeSpan.FromSeconds(seconds));
        Assert.Equal($"Bearer {text}", (await gateway.ConnectAsync($"/ws?token={text}")).Seen.Headers["Authorization"]);
    }

    [Fact]
    public async Task A_token_has_the_picture_and_the_rooms_that_were_asked_for_under_the_claims_that_are_configured()
    {
        await using var gateway = await RunningGateway.StartAsync([], new()
        {
            ["Jwt:UserClaim"] = "uid",
            ["Jwt:NameClaim"] = "nickname",
            ["Jwt:PictureClaim"] = "avatar",
        });

        var answer = await ReadAsync(await PostAsync(
            gateway,
            """{"user":"auth0|64f0c2","name":"Ä","picture":"https://example.com/a.png","rooms":{"lobby":["read"],"team-*":["join","send"]}}"""));

        var token = new JsonWebToken(answer.GetProperty("token").GetString()!);
        Assert.Equal("auth0|64f0c2", token.GetPayloadValue<string>("uid"));
        Assert.Equal("Ä", token.GetPayloadValue<string>("nickname"));
        Assert.Equal("https://example.com/a.png", token.GetPayloadValue<string>("avatar"));
        Assert.Equal("""{"lobby":["read"],"team-*":["join","send"]}""", token.GetPayloadValue<JsonElement>("rooms").GetRawText());
    }

    [Fact]
    public async Task A_link_works_as_well_and_the_answer_is_not_stored()
    {
        await using var gateway = await RunningGateway.StartAsync([]);

        var response = await gateway.SendAsync(
            HttpMethod.Get, "/dev/token?user=3fa85f64-5717-4562-b3fc-2c963f66afa6&name=A&expiresIn=5&scope=chat%3Aadmin");

        Assert.Equal("3fa85f64-5717-4562-b3fc-2c963f66afa6", (await ReadAsync(response)).GetProperty("user").GetString());
        Assert.True(response.Headers.CacheControl!.NoStore);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"user":null}""")]
    [InlineData("""{"user":7}""")]
    [InlineData("""{"user":""}""")]
    [InlineData("""{"user":"."}""")]
    [InlineData("""{"user":".."}""")]
    [InlineData("""{"user":"a b"}""")]
    [InlineData("""{"user":"ä"}""")]
    [InlineData("""{"user":"a\u0000"}""")]
    [InlineData("""{"user":"system"}""")]
    [InlineData("""{"user":"a/b"}""")]
    [InlineData("""{"user":"alice","picture":"http://example.com/a.png"}""")]
    [InlineData("""{"user":"alice","rooms":["lobby"]}""")]
    [InlineData("""{"user":"alice","rooms":{"lobby":["own"]}}""")]
    [InlineData("""{"user":"alice","rooms":{"lobby":"read"}}""")]
    [InlineData("""{"user":"alice","expiresIn":0}""")]
    [InlineData("""{"user":"alice","expiresIn":-5}""")]
    [InlineData("""{"user":"alice","expiresIn":86401}""")]
    [InlineData("""{"user":"alice","expiresIn":"soon"}""")]
    [InlineData("""{"user":"alice","expiresIn":99999999999}""")]
    [InlineData("""{"user":"alice","scope":"chat:everything"}""")]
    [InlineData("""{"user":"alice","name":""}""")]
    public async Task A_bad_request_is_400(string body)
    {
        await using var gateway = await RunningGateway.StartAsync([]);
        await Problems.AssertAsync(HttpStatusCode.BadRequest, await PostAsync(gateway, body));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?user=a%2Fb")]
    [InlineData("?user=alice&expiresIn=soon")]
    [InlineData("?user=alice&expiresIn=0")]
    public async Task A_bad_link_is_400(string query)
    {
        await using var gateway = await RunningGateway.StartAsync([]);
        await Problems.AssertAsync(HttpStatusCode.BadRequest, await gateway.SendAsync(HttpMethod.Get, $"/dev/token{query}"));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("LOCALHOST:8080", true)]
    [InlineData("127.0.0.1:8080", true)]
    [InlineData("127.8.9.10", true)]
    [InlineData("[::1]:8080", true)]
    [InlineData("chat.test:8080", true)]
    [InlineData("CHAT.test", true)]
    [InlineData("evil.example", false)]
    [InlineData("evil.example:8080", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("127.0.0.1.evil.example", false)]
    [InlineData("notlocalhost", false)]
    [InlineData("chat.test.evil.example", false)]
    [InlineData("192.168.1.7:8080", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("[::2]", false)]
    public async Task A_page_of_a_name_that_was_made_to_lead_here_gets_no_token(string host, bool isGiven)
    {
        await using var gateway = await RunningGateway.StartAsync([], new() { ["Gateway:DevTokenHosts:0"] = "chat.test" });
        const string body = """{"user":"alice"}""";

        foreach (var request in new[]
        {
            $"GET /dev/token?user=alice HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
            $"POST /dev/token HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}",
        })
        {
            var answer = await RawRequest.SendAsync(gateway.Address, request);

            Assert.StartsWith(isGiven ? "HTTP/1.1 200" : "HTTP/1.1 403", answer, StringComparison.Ordinal);
            Assert.Contains(isGiven ? "\"token\"" : "host_forbidden", answer, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Staging")]
    public async Task Outside_development_the_path_does_not_exist(string environment)
    {
        await using var gateway = await RunningGateway.StartAsync([], environment: environment);

        await Problems.AssertAsync(HttpStatusCode.NotFound, await PostAsync(gateway, """{"user":"alice"}"""));
        await Problems.AssertAsync(HttpStatusCode.NotFound, await gateway.SendAsync(HttpMethod.Get, "/dev/token?user=alice"));
    }

    [Fact]
    public async Task With_an_identity_provider_the_path_does_not_exist()
    {
        await using var gateway = await RunningGateway.StartAsync([], new() { ["Jwt:Authority"] = "https://login.example.org" });
        await Problems.AssertAsync(HttpStatusCode.NotFound, await gateway.SendAsync(HttpMethod.Get, "/dev/token?user=alice"));
    }

    private static Task<HttpResponseMessage> PostAsync(RunningGateway gateway, string body) =>
        gateway.SendAsync(HttpMethod.Post, "/dev/token", content: new StringContent(body, new MediaTypeHeaderValue("application/json")));

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        return JsonDocument.Parse(body).RootElement;
    }
}
