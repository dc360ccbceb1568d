using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AspireChat.ServiceDefaults;

/// <summary>
/// Silences the framework's log events that print a request's target with its query, because a browser's socket has its token there
/// (<c>/ws?token=…</c>). They are written before any middleware runs, so no middleware could redact them. These categories stay at the
/// levels given here or above, whatever the configuration of any provider says.
/// </summary>
internal sealed class RequestRedaction : IPostConfigureOptions<LoggerFilterOptions>
{
    private static readonly (string Category, LogLevel Lowest)[] Limits =
    [
        // "Request starting HTTP/1.1 GET http://host/ws?token=…" and "Request finished …", at Information.
        ("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning),
        // A malformed request line is quoted, at Debug.
        ("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.Information),
        ("Microsoft.AspNetCore.HttpLogging", LogLevel.Warning),
        ("Microsoft.AspNetCore.W3CLogging", LogLevel.Warning),
    ];

    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        // A rule with a provider's name beats one without, so each provider that is named anywhere needs a copy of its own.
        string?[] providers = [.. options.Rules.Select(rule => rule.ProviderName).Append(null).Distinct()];
        foreach (var (category, lowest) in Limits)
        {
            foreach (var provider in providers)
            {
                var asked = options.Rules.LastOrDefault(rule => rule.ProviderName == provider && rule.CategoryName == category)?.LogLevel;
                // Of equally specific rules the last wins.
                options.Rules.Add(new LoggerFilterRule(provider, category, asked > lowest ? asked : lowest, filter: null));
            }
        }
    }
}

internal static class RequestRedactionExtensions
{
    public static void AddRequestRedaction(this IHostApplicationBuilder builder) =>
        builder.Services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>, RequestRedaction>();
}
