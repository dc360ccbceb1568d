using System.Net;
using AspireChat.ServiceDefaults;

namespace AspireChat.Gateway;

internal static partial class GatewayLog
{
    [LoggerMessage(LogEvents.Gateway + 1, LogLevel.Warning,
        "There is no web client: Gateway:WebRoot is not set, and no web folder is beside the program. GET / is 404.")]
    public static partial void NoWebClient(this ILogger logger);

    [LoggerMessage(LogEvents.Gateway + 2, LogLevel.Warning,
        "{Cluster}: the addresses of {Destination} cannot be looked up ({Fault}); keeping the {Count} known ones.")]
    public static partial void AddressesNotFound(this ILogger logger, string cluster, string destination, string fault, int count);

    [LoggerMessage(LogEvents.Gateway + 3, LogLevel.Information, "{Cluster}: {Destination} is {Health} ({Reason}).")]
    public static partial void HealthChanged(this ILogger logger, string cluster, string destination, string health, string reason);

    [LoggerMessage(LogEvents.Gateway + 6, LogLevel.Warning,
        "{Address} sends X-Forwarded-For and is not among Gateway:KnownProxies; the header is ignored ({Count} since the last such line).")]
    public static partial void ForwardedByStranger(this ILogger logger, IPAddress address, long count);

    [LoggerMessage(LogEvents.Gateway + 5, LogLevel.Debug, "Proxying to {Destination} through a tunnel.")]
    public static partial void Tunneling(this ILogger logger, string destination);
}
