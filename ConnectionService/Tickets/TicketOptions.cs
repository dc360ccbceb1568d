using System.ComponentModel.DataAnnotations;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace AspireChat.ConnectionService.Tickets;

/// <summary>Tickets for connecting to this node without the gateway. Section <c>Sockets</c>, beside the limits of sockets.</summary>
public sealed class TicketOptions : IValidatableObject
{
    public const string Section = "Sockets";

    /// <summary>
    /// Where clients reach this very node and no other, <c>wss://node-3.chat.example.org</c>: <c>/ws</c> is put behind it. Empty, the
    /// default: no tickets; clients connect through the gateway.
    /// </summary>
    public string PublicAddress { get; set; } = "";

    /// <summary>How long a ticket may take from its issue to the socket: 5–120 s, 30 s by default.</summary>
    [Range(typeof(TimeSpan), "00:00:05", "00:02:00")]
    public TimeSpan TicketLifetime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Origins, besides the one that the gateway is reached at, whose pages may get a ticket: what <c>Gateway:AllowedOrigins</c> is for
    /// sockets through the gateway, and meant to be the same list. <c>*</c> allows all.
    /// </summary>
    public string[] AllowedOrigins { get; set; } = [];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (PublicAddress.Length > 0 && !IsBase(PublicAddress, "ws", "wss"))
        {
            yield return new("must be a ws or wss address without query, such as wss://node-3.example.org.", [nameof(PublicAddress)]);
        }

        if (AllowedOrigins.Any(origin => origin != "*" && !IsBase(origin, "http", "https")))
        {
            yield return new("must be origins such as https://chat.example.org, or *.", [nameof(AllowedOrigins)]);
        }
    }

    private static bool IsBase(string text, params string[] schemes) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address)
        && schemes.Contains(address.Scheme)
        && address is { Query: "", Fragment: "", UserInfo: "", Host.Length: > 0 };
}

/// <summary>The gateway's rule for the origin of sockets, kept where a ticket is issued. Thread-safe.</summary>
internal sealed class TicketOrigins(IOptions<TicketOptions> options)
{
    private readonly PageOrigins _origins = new(options.Value.AllowedOrigins);

    public bool Allow(HttpRequest request)
    {
        // Written by the gateway, whatever the client sent.
        var gateway = request.Headers["X-Forwarded-Host"] is { Count: > 0 } forwarded ? new HostString(forwarded.ToString()) : request.Host;
        return _origins.Allow(PageOrigins.Of(request), gateway);
    }
}
