using Microsoft.Extensions.Configuration;

namespace AspireChat.AppHost;

/// <summary>
/// Settings of the services that stand in the AppHost's own configuration: its command line, its environment, its user secrets. A service
/// inherits the environment only.
/// </summary>
internal static class ServiceSettings
{
    /// <summary>Passes sections of the AppHost's configuration on to a service. What is not set leaves nothing in the model.</summary>
    /// <param name="sections">Such as <c>Webhooks</c>. What is called <c>Secret</c> in it becomes a secret parameter.</param>
    public static IResourceBuilder<ProjectResource> WithSettings(
        this IResourceBuilder<ProjectResource> builder, params ReadOnlySpan<string> sections)
    {
        var application = builder.ApplicationBuilder;
        foreach (var section in sections)
        {
            foreach (var (key, value) in application.Configuration.GetSection(section).AsEnumerable())
            {
                // The key of the tokens is a parameter already.
                if (value is null || key.Equals("Jwt:Key", StringComparison.OrdinalIgnoreCase))
                {
                    continue;
                }

                var variable = key.Replace(":", "__", StringComparison.Ordinal);
                if (key.EndsWith(":Secret", StringComparison.OrdinalIgnoreCase))
                {
                    var name = key.Replace(':', '-').ToLowerInvariant();
                    builder.WithEnvironment(variable, application.AddParameter(name, value, secret: true));
                }
                else
                {
                    builder.WithEnvironment(variable, value);
                }
            }
        }

        return builder;
    }
}
