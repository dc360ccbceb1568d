namespace AspireChat.Client.Connecting;

/// <summary>
/// A ticket opens one socket at a node's own address (<c>POST /api/socket-tickets</c>). It is no token, but whoever has it can use it once,
/// so it appears in no log.
/// </summary>
internal sealed record SocketTicket(Uri Url, string Ticket)
{
    /// <summary>Where to connect; null when the server named no address that can be used safely.</summary>
    /// <param name="gateway">Who talks to the gateway over TLS gets no socket without it.</param>
    public static SocketTicket? From(string? url, string? ticket, Uri gateway) =>
        !string.IsNullOrEmpty(ticket) && Uri.TryCreate(url, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeWss || (address.Scheme == Uri.UriSchemeWs && gateway.Scheme == Uri.UriSchemeHttp))
            ? new(address, ticket)
            : null;

    public Uri Address => new UriBuilder(Url) { Query = "ticket=" + Uri.EscapeDataString(Ticket) }.Uri;
}
