using Aspire.Hosting.ApplicationModel;
using AspireChat.LocalHost.Running;

namespace Aspire.Hosting;

public static class ParameterResourceBuilderExtensions
{
    /// <summary>A value that must be given as <c>Parameters:NAME</c>.</summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, _ => Configured(builder, name) ?? throw Missing(name), secret));

    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, string value, bool publishValueAsDefault = false, bool secret = false) =>
        builder.AddParameter(name, () => value, publishValueAsDefault, secret);

    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, Func<string> valueGetter,
        bool publishValueAsDefault = false, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, _ => Configured(builder, name) ?? valueGetter(), secret));

    /// <summary>
    /// A value with a default. With <paramref name="persist"/> a generated default stays the same from run to run (the genuine host keeps
    /// it in the user secrets, this one in the data directory).
    /// </summary>
    public static IResourceBuilder<ParameterResource> AddParameter(
        this IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret = false, bool persist = false) =>
        builder.AddResource(Defaulted(builder, name, value, secret, persist));

    public static IResourceBuilder<ParameterResource> AddParameterFromConfiguration(
        this IDistributedApplicationBuilder builder, string name, string configurationKey, bool secret = false) =>
        builder.AddResource(new ParameterResource(name, _ => builder.Configuration[configurationKey] ?? throw Missing(name), secret));

    /// <summary>A generated password that stays the same from run to run.</summary>
    public static ParameterResource CreateDefaultPasswordParameter(
        IDistributedApplicationBuilder builder,
        string name,
        bool lower = true,
        bool upper = true,
        bool numeric = true,
        bool special = true,
        int minLower = 0,
        int minUpper = 0,
        int minNumeric = 0,
        int minSpecial = 0)
    {
        var generated = new GenerateParameterDefault
        {
            MinLength = 22, // 128 bits and more of entropy, as the genuine default
            Lower = lower,
            Upper = upper,
            Numeric = numeric,
            Special = special,
            MinLower = minLower,
            MinUpper = minUpper,
            MinNumeric = minNumeric,
            MinSpecial = minSpecial,
        };
        return Defaulted(builder, name, generated, secret: true, persist: true);
    }

    private static ParameterResource Defaulted(
        IDistributedApplicationBuilder builder, string name, ParameterDefault value, bool secret, bool persist)
    {
        var kept = Kept(builder);
        return new ParameterResource(name, Value, secret) { Default = value };

        string Value(ParameterDefault? fallback) =>
            Configured(builder, name) ??
            (persist ? kept.GetOrAdd(name, fallback!.GetDefaultValue) : fallback!.GetDefaultValue());
    }

    private static GeneratedSecrets Kept(IDistributedApplicationBuilder builder) =>
        (GeneratedSecrets)builder.Services.Single(s => s.ServiceType == typeof(GeneratedSecrets)).ImplementationInstance!;

    // Most shells cannot set a variable with a dash in its name, so an underscore stands for it as well.
    private static string? Configured(IDistributedApplicationBuilder builder, string name) =>
        builder.Configuration[$"Parameters:{name}"] ?? builder.Configuration[$"Parameters:{name.Replace('-', '_')}"];

    private static DistributedApplicationException Missing(string name) =>
        new($"Parameter '{name}' has no value: set Parameters__{name.Replace('-', '_')} in the environment " +
            $"or Parameters:{name} in the configuration.");
}
