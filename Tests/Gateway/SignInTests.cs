using System.Net;
using System.Text.Json.Nodes;
using AspireChat.Tests.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.Gateway;

/// <summary>What the gateway tells its page about signing in.</summary>
public sealed class SignInTests
{
    [Fact]
    public async Task In_development_a_name_is_enough_and_without_it_and_a_provider_the_page_learns_that_there_is_no_sign_in()
    {
        await using var development = await RunningGateway.StartAsync([]);
        await using var production = await RunningGateway.StartAsync([], environment: "Production");

        Assert.Equal("""{"byName":true,"provider":null}""", await AnswerAsync(development));
        Assert.Equal("""{"byName":false,"provider":null}""", await AnswerAsync(production));
    }

    [Fact]
    public async Task With_a_provider_the_page_learns_where_to_sign_in_and_may_call_it()
    {
        await using var provider = await ProviderProcess.StartedAsync();
        await using var gateway = await RunningGateway.StartAsync([], Settings(provider));

        var answer = JsonNode.Parse(await AnswerAsync(gateway))!;

        Assert.False((bool)answer["byName"]!);
        Assert.Equal(
            ($"{provider.Address}/connect/authorize", $"{provider.Address}/connect/token", "page", "sub"),
            ((string?)answer["provider"]!["authorization"], (string?)answer["provider"]!["token"], (string?)answer["provider"]!["clientId"],
                (string?)answer["provider"]!["userClaim"]));
        var response = await gateway.SendAsync(HttpMethod.Get, "/sign-in.json");
        Assert.Contains($" {provider.Address}", response.Headers.GetValues("Content-Security-Policy").Single().Split("connect-src")[1], StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task A_provider_that_is_away_is_said_to_be_away_for_a_while()
    {
        await using var provider = ProviderProcess.Create();
        await using var gateway = await RunningGateway.StartAsync([], Settings(provider));

        var response = await gateway.SendAsync(HttpMethod.Get, "/sign-in.json");

        await Problems.AssertAsync(HttpStatusCode.ServiceUnavailable, response);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task A_page_that_is_a_client_of_no_provider_is_a_wrong_setting_which_is_named()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(
            () => RunningGateway.StartAsync([], new() { ["Gateway:SignIn:ClientId"] = "page" }));

        Assert.Contains("Gateway:SignIn:ClientId", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Jwt:Authority", fault.Message, StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Settings(ProviderProcess provider) => new()
    {
        ["Jwt:Authority"] = provider.Address, ["Jwt:Issuer"] = $"{provider.Address}/", ["Gateway:SignIn:ClientId"] = "page",
    };

    private static async Task<string> AnswerAsync(RunningGateway gateway)
    {
        var response = await gateway.SendAsync(HttpMethod.Get, "/sign-in.json");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }
}
