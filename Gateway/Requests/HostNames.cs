using AspireChat.Contracts.Frames;
using AspireChat.ServiceDefaults;

namespace AspireChat.Gateway.Requests;

/// <summary>
/// Refuses a request whose <c>Host</c> is no name and no address. Kestrel looks at its characters alone, and code behind it that makes a URI of such a
/// name fails.
/// </summary>
internal static class HostNames
{
    public static void UseHostNames(this WebApplication app) => app.Use(static (context, next) =>
        context.Request.Host is { HasValue: true, Host: var host } && Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.Unknown
            ? context.WriteProblemAsync(StatusCodes.Status400BadRequest, "Host is neither a name nor an address.", ErrorCodes.BadRequest)
            : next(context));
}
