using AspireChat.AppHost.Servers;
using AspireChat.AppHost.Startup;
using AspireChat.ServiceDefaults;
using AspireChat.Servers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AspireChat.AppHost;

/// <summary>
/// The key of the tokens: <c>Jwt:Key</c> of the AppHost's configuration, else one that is generated once and kept with the data. Section
/// <c>Jwt</c> is checked before anything is started, because no service could start with it.
/// </summary>
internal static class TokenKey
{
    private const string Name = "jwt-key";
    private const string Setting = $"{JwtOptions.Section}:{nameof(JwtOptions.Key)}";
    private const string Parameter = $"Parameters:{Name}";

    public static IResourceBuilder<ParameterResource> AddTokenKey(this IDistributedApplicationBuilder builder)
    {
        builder.AddStartCheck(() => Check(builder.Configuration));
        return builder.AddSecret(Name, length: 64, Setting);
    }

    /// <summary>How the services verify tokens.</summary>
    /// <param name="key">The parameter's value.</param>
    public static JwtOptions TokenOptions(this IConfiguration configuration, string? key)
    {
        var jwt = configuration.GetSection(JwtOptions.Section).Get<JwtOptions>() ?? new JwtOptions();
        jwt.Key = key;
        return jwt;
    }

    private static void Check(IConfiguration configuration)
    {
        var (setting, parameter) = (configuration[Setting], configuration[Parameter]);
        if (setting is not null && parameter is not null && setting != parameter)
        {
            throw new ServerException($"{Setting} and {Parameter} differ: set one of them.");
        }

        // A generated key is good; only what was given is checked.
        var key = parameter ?? setting ?? new string('k', JwtOptions.ShortestKeyBytes);
        using var services = new ServiceCollection().AddSingleton(configuration)
            .AddValidatedOptions<JwtOptions>(JwtOptions.Section).PostConfigure(jwt => jwt.Key = key)
            .Services.BuildServiceProvider();
        try
        {
            _ = services.GetRequiredService<IOptions<JwtOptions>>().Value;
        }
        catch (OptionsValidationException fault)
        {
            throw new ServerException(string.Join(' ', fault.Failures));
        }
        catch (InvalidOperationException fault)
        {
            // The binder names the key of a value that it cannot read.
            throw new ServerException(fault.Message);
        }
    }
}
