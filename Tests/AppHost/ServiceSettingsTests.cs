using System.Reflection;
using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using AspireChat.Servers;
using AspireChat.Tests.Documents;

namespace AspireChat.Tests.AppHost;

[Trait("Needs", "AppHost")]
public sealed partial class ServiceSettingsTests : IDisposable
{
    private const string Key = "a key that is good for tests only!";

    /// <summary>The program of each service.</summary>
    private static readonly Dictionary<string, string> Services = new(StringComparer.Ordinal)
    {
        ["gateway"] = "Gateway", ["connection"] = "ConnectionService", ["presence"] = "PresenceService", ["persistence"] = "PersistenceService",
    };

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

    [Fact]
    public async Task Each_section_that_a_service_reads_reaches_it_from_the_command_line()
    {
        var read = Services.ToDictionary(service => service.Key, service => SectionsOf(service.Value), StringComparer.Ordinal);
        string[] sections = [.. read.Values.SelectMany(own => own).Distinct(StringComparer.Ordinal)];
        await using var model = await AppHostModel.CreateAsync(
            _folder, ["Servers=processes", .. sections.Select(section => $"--{section}:Probe=1")]);

        foreach (var (service, own) in read)
        {
            var environment = await model.EnvironmentAsync(service);
            Assert.Equal(own, sections.Where(section => environment.ContainsKey($"{section}__Probe")).Order(StringComparer.Ordinal));
        }

        Assert.Equal([], DocumentedSections().Except(sections));
    }

    [Theory]
    [InlineData("--Jwt:Key=" + Key)]
    [InlineData("--Parameters:jwt-key=" + Key)]
    public async Task A_key_that_the_operator_gives_is_the_key_of_every_service(string setting)
    {
        await using var model = await AppHostModel.CreateAsync(_folder, "Servers=processes", setting);

        foreach (var service in Services.Keys)
        {
            var key = Assert.IsType<ParameterResource>((await model.EnvironmentAsync(service))["Jwt__Key"]);
            Assert.True(key.Secret);
            Assert.Equal(Key, await key.GetValueAsync(CancellationToken.None));
        }
    }

    [Theory]
    [InlineData("Jwt:Key is too short: at least 32 bytes are needed.", "--Jwt:Key=short")]
    [InlineData("Jwt:Key is too short: at least 32 bytes are needed.", "--Parameters:jwt-key=short")]
    [InlineData("Jwt:Key is missing; in the environment it is Jwt__Key.", "--Jwt:Key=")]
    [InlineData("Jwt:Key and Parameters:jwt-key differ: set one of them.", "--Jwt:Key=" + Key, "--Parameters:jwt-key=" + Key + "!")]
    [InlineData("Jwt:Audience must not be aspirechat-internal: user tokens would open the internal calls.", "--Jwt:Audience=aspirechat-internal")]
    [InlineData("Failed to convert configuration value 'soon' at 'Jwt:ClockSkew' to type 'System.TimeSpan'.", "--Jwt:ClockSkew=soon")]
    public async Task A_key_or_a_rule_for_tokens_that_no_service_can_use_stops_the_start_and_is_named(string reason, params string[] settings)
    {
        var refusal = await AppHostModel.RefusalOfAsync(_folder, ["Servers=processes", .. settings]);

        Assert.Equal(reason, refusal.Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static bool IsOfHooks(string variable) => variable.Contains("Hooks__", StringComparison.OrdinalIgnoreCase);

    /// <summary>The sections of the options in a program and in the libraries that it uses, but for those of calls, where nobody registers them.</summary>
    private static string[] SectionsOf(string project)
    {
        var program = Assembly.Load($"AspireChat.{project}");
        var libraries = program.GetReferencedAssemblies().Where(name => name.Name!.StartsWith("AspireChat.", StringComparison.Ordinal)).Select(Assembly.Load);
        var sections = libraries.Append(program).SelectMany(assembly => assembly.GetTypes())
            .Select(type => type.GetField("Section", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(field => field is { IsLiteral: true }).Select(field => ((string)field!.GetRawConstantValue()!).Split(':')[0]);
        return [.. sections.Where(section => section != "Calls" || project is "PresenceService" or "PersistenceService")
            .Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>Those of docs/configuration.md, but for what the AppHost itself reads or sets.</summary>
    private static IEnumerable<string> DocumentedSections() => File.ReadLines(Path.Combine(LinkTests.Root(), "docs", "configuration.md"))
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal) && !line.Contains("(AppHost)", StringComparison.Ordinal))
        .SelectMany(line => SettingName().Matches(line.Split(" | ")[0])).Select(name => name.Groups[1].Value).Distinct(StringComparer.Ordinal)
        .Where(section => section != "ConnectionStrings");

    [GeneratedRegex("`([A-Za-z]+):")]
    private static partial Regex SettingName();
}
