using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using AspireChat.Servers;
using AspireChat.Tests.Documents;
using AspireChat.Tests.ServiceDefaults;

namespace AspireChat.Tests.Samples;

/// <summary>The sample shop signs tokens with a key that it publishes. With a shared key it runs in web/e2e.</summary>
[Trait("Needs", "Processes")]
public sealed class ShopTokenTests
{
    private static readonly string Program = Path.GetFullPath(
        Path.Combine(AppContext.BaseDirectory, "../../Shop", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "AspireChat.Shop.dll"));

    [Fact]
    public async Task Tokens_that_the_shop_signs_with_its_own_key_are_verified_by_what_it_publishes()
    {
        var address = $"http://localhost:{Ports.Free()}";
        using var shop = Process.Start(new ProcessStartInfo("dotnet", ["exec", Program, "--urls", address])
        {
            WorkingDirectory = Path.Combine(LinkTests.Root(), "samples", "Shop"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["Chat__Signing"] = "RS256",
                ["Chat__Issuer"] = address,
                ["Chat__Gateway"] = "http://localhost",
                ["Chat__WebhookSecret"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            },
        })!;
        try
        {
            shop.BeginOutputReadLine();
            shop.BeginErrorReadLine();
            using var browser = new HttpClient { BaseAddress = new Uri(address) };
            await Eventually.IsTrueAsync(() => AnswersAsync(browser), "the shop answers");
            Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/chat/token")).StatusCode);
            (await browser.PostAsJsonAsync("/sign-in", new { user = "customer-ada" })).EnsureSuccessStatusCode();
            var answer = await browser.GetFromJsonAsync<JsonElement>("/chat/token");
            await using var service = await RunningService.StartAsync(
                settings: new() { ["Jwt:Authority"] = address, ["Jwt:Issuer"] = address });

            Assert.Equal("customer-ada", await TextAsync(service, answer.GetProperty("token").GetString()!));
        }
        finally
        {
            shop.Kill();
            await shop.WaitForExitAsync();
        }
    }

    private static async Task<string> TextAsync(RunningService service, string token) =>
        await (await service.GetAsync("/user", token)).Content.ReadAsStringAsync();

    private static async Task<bool> AnswersAsync(HttpClient browser)
    {
        try
        {
            return (await browser.GetAsync("/items")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
