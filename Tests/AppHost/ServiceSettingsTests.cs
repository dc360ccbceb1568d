using Aspire.Hosting.ApplicationModel;
using AspireChat.Servers;

namespace AspireChat.Tests.AppHost;

[Trait("Needs", "AppHost")]
public sealed class ServiceSettingsTests : IDisposable
{
    private readonly string _folder = TemporaryFolder.Create("test");

    [Fact]
    public async Task Hooks_that_are_configured_reach_their_service_and_their_secrets_are_secrets()
    {
        await using var model = await AppHostModel.CreateAsync(
            _folder, "Servers=processes", "Webhooks:0:Url=http://example.org", "Webhooks:0:Secret=whsec_x", "Hooks:BeforeSend:Url=http://moderation");

        var persistence = await model.EnvironmentAsync("persistence");
        Assert.Equal("http://example.org", persistence["Webhooks__0__Url"]);
        Assert.True(Assert.IsType<ParameterResource>(persistence["Webhooks__0__Secret"]).Secret);
        Assert.Equal("http://moderation", (await model.EnvironmentAsync("connection"))["Hooks__BeforeSend__Url"]);
        Assert.DoesNotContain((await model.EnvironmentAsync("gateway")).Keys, IsOfHooks);
    }

    [Fact]
    public async Task Without_hooks_the_model_has_nothing_of_them()
    {
        await using var model = await AppHostModel.CreateAsync(_folder, "Servers=processes");

        Assert.DoesNotContain((await model.EnvironmentAsync("persistence")).Keys, IsOfHooks);
        Assert.DoesNotContain((await model.EnvironmentAsync("connection")).Keys, IsOfHooks);
        Assert.DoesNotContain(model.Resources, resource => resource.Name.Contains("hook", StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static bool IsOfHooks(string variable) => variable.Contains("Hooks__", StringComparison.OrdinalIgnoreCase);
}
