using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Json;
using AspireChat.ConnectionService.Node;
using AspireChat.Contracts;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ConnectionService.Tickets;

/// <summary>
/// What a client gets: it opens one socket at <paramref name="Url"/>, with <c>?ticket=</c>, until <paramref name="Expires"/>.
/// </summary>
internal sealed record SocketTicket(string Url, string Ticket, string Expires);

/// <summary>
/// Tickets of this node: a signed token of an audience of its own, so that no API takes it, for one user, one node, one page's origin and
/// one socket. Thread-safe.
/// </summary>
internal sealed class SocketTickets(IOptions<TicketOptions> options, IOptions<JwtOptions> jwt, NodeIdentity node, TimeProvider time)
{
    /// <summary>The query parameter that a client puts its ticket into.</summary>
    public const string Parameter = "ticket";

    private const string NodeClaim = "node";
    private const string OriginClaim = "origin";

    /// <summary>When the user's own token ends: the connection lasts as long, not as long as the ticket.</summary>
    private const string UntilClaim = "until";

    /// <summary>When that token was issued: revoking it revokes the ticket.</summary>
    private const string SinceClaim = "since";

    private const string PictureClaim = "picture";

    private static readonly JsonWebTokenHandler Writer = new() { SetDefaultTimesOnTokenCreation = false };

    /// <summary>Tickets that have been used, until they would have expired: only as many as this node has issued in that time.</summary>
    private readonly ConcurrentDictionary<string, DateTimeOffset> _used = [];

    private readonly string _url = options.Value.PublicAddress.TrimEnd('/') + "/ws";
    private long _sweptAt = time.GetTimestamp();

    public bool AreIssued { get; } = options.Value.PublicAddress.Length > 0;

    /// <param name="origin">Of the page that asked; null: no page did.</param>
    public SocketTicket Issue(ChatUser user, string? origin)
    {
        var now = time.GetUtcNow();
        var expires = now + options.Value.TicketLifetime;
        if (expires > user.Expires)
        {
            expires = user.Expires;
        }

        var claims = new Dictionary<string, object>
        {
            [JwtRegisteredClaimNames.Sub] = user.Id,
            [JwtRegisteredClaimNames.Jti] = Guid.NewGuid().ToString("N"),
            [NodeClaim] = node.Name,
            [UntilClaim] = user.Expires.ToUnixTimeSeconds(),
        };
        if (user.Name is not null)
        {
            claims[JwtRegisteredClaimNames.Name] = user.Name;
        }

        if (user.Picture is not null)
        {
            claims[PictureClaim] = user.Picture;
        }

        if (user.Rooms is not null)
        {
            claims[RoomGrants.Claim] = JsonDocument.Parse(user.Rooms.Json).RootElement;
        }

        if (user.IssuedAt is { } issued)
        {
            claims[SinceClaim] = issued / 1_000.0;
        }

        if (origin is not null)
        {
            claims[OriginClaim] = origin;
        }

        var ticket = Writer.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = jwt.Value.Issuer,
            Audience = JwtOptions.TicketAudience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = expires.UtcDateTime,
            Claims = claims,
            SigningCredentials = new SigningCredentials(jwt.Value.CreateSigningKey(), SecurityAlgorithms.HmacSha256),
        });
        return new SocketTicket(_url, ticket, Timestamps.ToText(expires));
    }

    /// <summary>
    /// Uses up a ticket whose signature and times are verified: the user whom it lets in, as their own token would. Null: it is another
    /// node's, or was used before.
    /// </summary>
    public ClaimsPrincipal? Use(ClaimsPrincipal ticket)
    {
        Sweep();
        var expires = DateTimeOffset.FromUnixTimeSeconds(long.Parse(ticket.FindFirstValue(JwtRegisteredClaimNames.Exp)!));
        if (ticket.FindFirstValue(NodeClaim) != node.Name
            || ticket.FindFirstValue(JwtRegisteredClaimNames.Jti) is not { } id
            || !_used.TryAdd(id, expires + jwt.Value.ClockSkew))
        {
            return null;
        }

        var kept = ticket.Claims
            .Where(claim => claim.Type is JwtRegisteredClaimNames.Sub or JwtRegisteredClaimNames.Name or PictureClaim or RoomGrants.Claim or OriginClaim)
            .Append(new Claim(JwtRegisteredClaimNames.Exp, ticket.FindFirstValue(UntilClaim)!));
        if (ticket.FindFirstValue(SinceClaim) is { } issued)
        {
            kept = kept.Append(new Claim(JwtRegisteredClaimNames.Iat, issued));
        }

        return new ClaimsPrincipal(new ClaimsIdentity(kept, TicketScheme.Ticket));
    }

    /// <summary>A page's socket must come from the page that asked for its ticket.</summary>
    public static bool IsFromItsPage(HttpContext context) =>
        context.User.Identity?.AuthenticationType != TicketScheme.Ticket
        || PageOrigins.Of(context.Request) == context.User.FindFirstValue(OriginClaim);

    private void Sweep()
    {
        if (time.GetElapsedTime(Volatile.Read(ref _sweptAt)) < options.Value.TicketLifetime)
        {
            return;
        }

        Volatile.Write(ref _sweptAt, time.GetTimestamp());
        var now = time.GetUtcNow();
        foreach (var (id, expires) in _used)
        {
            if (expires < now)
            {
                _used.TryRemove(id, out _);
            }
        }
    }
}
