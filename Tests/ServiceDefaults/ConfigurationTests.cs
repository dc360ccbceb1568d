using System.ComponentModel.DataAnnotations;
using AspireChat.Gateway;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class ConfigurationTests
{
    private const string Key = "0123456789abcdef0123456789abcdef";

    public static TheoryData<string, string[]> Faults => new()
    {
        { "Jwt:Key is missing", [] },
        { "Jwt:Key is missing", ["Jwt:Key="] },
        { "Jwt:Key is too short", ["Jwt:Key=0123456789abcdef0123456789abcde"] },
        { "Jwt:Issuer is missing", [$"Jwt:Key={Key}", "Jwt:Issuer="] },
        { "Jwt:Audience must not be aspirechat-internal", [$"Jwt:Key={Key}", "Jwt:Audience=aspirechat-internal"] },
        { "Jwt:Audience must not be aspirechat-socket", [$"Jwt:Key={Key}", "Jwt:Audience=aspirechat-socket"] },
        { "Jwt:Algorithms none is not one of", [$"Jwt:Key={Key}", "Jwt:Algorithms:0=none"] },
        { "Jwt:Algorithms RS256 is not one of", [$"Jwt:Key={Key}", "Jwt:Algorithms:0=RS256"] },
        { "Jwt:Algorithms HS256 is not one of", [$"Jwt:Key={Key}", "Jwt:Authority=https://id.example", "Jwt:Algorithms:0=HS256"] },
        { "Jwt:ClockSkew", [$"Jwt:Key={Key}", "Jwt:ClockSkew=01:00:00"] },
        { "Jwt:ClockSkew", [$"Jwt:Key={Key}", "Jwt:ClockSkew=soon"] },
        { "Jwt:Authority", [$"Jwt:Key={Key}", "Jwt:Authority=id.example"] },
        { "Gateway:RateLimits:ApiPerUser:Burst", [$"Jwt:Key={Key}", "Gateway:RateLimits:ApiPerUser:Burst=0"] },
        { "Gateway:HealthInterval", [$"Jwt:Key={Key}", "Gateway:HealthInterval=00:00:00"] },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_bad_setting_stops_the_start_and_names_the_key(string message, string[] settings)
    {
        var fault = await Assert.ThrowsAnyAsync<Exception>(() => StartAsync(settings));
        Assert.Contains(message, fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("Jwt:Algorithms:0=HS512")]
    [InlineData("Jwt:Authority=https://id.example")]
    [InlineData("Jwt:Authority=https://id.example", "Jwt:Algorithms:0=ES256")]
    [InlineData("Jwt:ClockSkew=00:00:00")]
    [InlineData("Gateway:RateLimits:ApiPerUser:Burst=1")]
    public async Task Good_configuration_starts(params string[] settings) => await StartAsync([$"Jwt:Key={Key}", .. settings]);

    [Fact]
    public void Configured_algorithms_replace_the_default_and_never_add_to_it()
    {
        Assert.Equal(["HS256"], new JwtOptions().EffectiveAlgorithms);
        Assert.Equal(["HS512"], new JwtOptions { Algorithms = ["HS512"] }.EffectiveAlgorithms);
        Assert.Equal(["RS256", "ES256"], new JwtOptions { Authority = new Uri("https://id.example") }.EffectiveAlgorithms);
    }

    [Fact]
    public async Task All_bad_settings_are_reported_at_once()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection([new("Some:Count", "7")]);
        builder.Services.AddValidatedOptions<SomeOptions>("Some");
        using var host = builder.Build();

        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync());

        Assert.Equal(
            ["Some:Name is missing; in the environment it is Some__Name.", "The field Some:Count must be between 1 and 5."],
            fault.Failures);
    }

    private static async Task StartAsync(string[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => setting.Split('=', 2))
            .Select(pair => new KeyValuePair<string, string?>(pair[0], pair[1])));
        builder.AddChatAuthentication();
        builder.Services.AddValidatedOptions<GatewayOptions>(GatewayOptions.Section);
        using var host = builder.Build();
        await host.StartAsync();
        await host.StopAsync();
    }

    private sealed class SomeOptions
    {
        [Required]
        public string? Name { get; set; }

        [Range(1, 5)]
        public int Count { get; set; }
    }
}
