using Microsoft.Extensions.Configuration;

namespace AspireChat.AppHost;

/// <summary>Settings of a service that may stand in the AppHost's own configuration.</summary>
internal static class ServiceSettings
{
    /// <summary>Passes a section of the AppHost's configuration on to the service. Where it is not set, the model has nothing of it.</summary>
    /// <param name="section">Such as <c>Webhooks</c>. What is called <c>Secret</c> in it becomes a secret parameter.</param>
    public static IResourceBuilder<ProjectResource> WithSettings(this IResourceBuilder<ProjectResource> builder, string section)
    {
        var application = builder.ApplicationBuilder;
        foreach (var (key, value) in application.Configuration.GetSection(section).AsEnumerable())
        {
            if (value is null)
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

        return builder;
    }
}
