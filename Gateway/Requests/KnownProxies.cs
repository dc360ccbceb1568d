using System.Net;
using AspireChat.ServiceDefaults;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.Requests;

/// <summary>
/// Who a request comes from. <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are believed only when the connection comes from one of
/// <see cref="GatewayOptions.KnownProxies"/>; from everybody else they are a claim, and limits per address would be void.
/// <c>ASPNETCORE_FORWARDEDHEADERS_ENABLED</c>, which believes everybody, changes nothing here.
/// </summary>
internal static class KnownProxiesExtensions
{
    public static void AddKnownProxies(this WebApplicationBuilder builder) =>
        builder.Services.AddOptions<ForwardedHeadersOptions>().PostConfigure<IOptions<GatewayOptions>>((forwarded, gateway) =>
        {
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            // An empty entry is a variable that was left empty.
            foreach (var proxy in gateway.Value.KnownProxies.Where(proxy => !string.IsNullOrEmpty(proxy)))
            {
                forwarded.KnownIPNetworks.Add(NetworkOf(proxy)!.Value);
            }
            // With empty lists the framework believes everybody.
            forwarded.ForwardedHeaders = forwarded.KnownIPNetworks.Count == 0
                ? ForwardedHeaders.None
                : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            // As many proxies in a row as are known.
            forwarded.ForwardLimit = null;
        });

    public static void UseKnownProxies(this WebApplication app)
    {
        var known = app.Services.GetRequiredService<IOptions<ForwardedHeadersOptions>>().Value;
        var stranger = new RecurringFault(app.Services.GetRequiredService<TimeProvider>());
        app.Use((context, next) =>
        {
            if (context.Request.Headers.ContainsKey(ForwardedHeadersDefaults.XForwardedForHeaderName)
                && context.Connection.RemoteIpAddress is { } address
                && !known.IsKnownProxy(address)
                && stranger.IsDue(out var count))
            {
                app.Logger.ForwardedByStranger(address, count);
            }

            return next(context);
        });
        app.UseForwardedHeaders();
    }

    public static bool IsKnownProxy(this ForwardedHeadersOptions known, IPAddress address)
    {
        foreach (var network in known.KnownIPNetworks)
        {
            if (network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>A network (<c>10.1.0.0/16</c>) or one address. Null: it is neither.</summary>
    public static System.Net.IPNetwork? NetworkOf(string text) =>
        System.Net.IPNetwork.TryParse(text, out var network) ? network
        : IPAddress.TryParse(text, out var address) ? new System.Net.IPNetwork(address, address.GetAddressBytes().Length * 8)
        : null;
}
