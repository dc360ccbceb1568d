using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace AspireChat.ServiceDefaults;

/// <summary>What an issuer published at one reading.</summary>
internal sealed record IssuerKeySet(string? Issuer, IReadOnlyList<SecurityKey> Keys, ProviderEndpoints? Endpoints, long ReadAt)
{
    public TokenValidationParameters ApplyTo(TokenValidationParameters parameters)
    {
        var mine = parameters.Clone();
        mine.IssuerSigningKeys = Keys;
        mine.ValidIssuers = Issuer is null ? null : [Issuer];
        return mine;
    }
}

/// <summary>
/// The keys that the OpenID Connect provider at <c>Jwt:Authority</c> publishes. They are read every <c>Jwt:KeyRefresh</c>, so a withdrawn
/// key is refused within that time. A token signed with a key that is not known makes them be read at once, but not more often than every
/// <c>Jwt:KeyRefreshLeast</c>: made-up key ids cannot flood the provider. While the provider cannot be reached, the last keys stay for
/// <c>Jwt:KeysKeptFor</c>. (The library's own manager reads them every 12 h, and reacts to an unknown key once in 5 min.) Thread-safe.
/// </summary>
internal sealed partial class IssuerKeys(IOptions<JwtOptions> options, TimeProvider time, ILogger<IssuerKeys> logger)
    : BackgroundService, IProviderEndpoints
{
    private const long LargestDocument = 1024 * 1024;
    private static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(10);

    private readonly JwtOptions _jwt = options.Value;
    private readonly RecurringFault _outage = new(time);
    private readonly Lock _gate = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2) })
    {
        Timeout = ReadLimit,
        MaxResponseContentBufferSize = LargestDocument,
    };

    private Task? _reading;
    private long? _startedAt;
    private volatile IssuerKeySet? _keys;

    /// <summary>The keys in force. Null: none were ever read, or the last ones are too old.</summary>
    public async ValueTask<IssuerKeySet?> GetAsync()
    {
        if (Current is { } keys)
        {
            return keys;
        }

        await ReadAsync(isDue: false);
        return Current;
    }

    ProviderEndpoints? IProviderEndpoints.Known => _keys?.Endpoints;

    async ValueTask<ProviderEndpoints?> IProviderEndpoints.GetAsync() => (await GetAsync())?.Endpoints;

    /// <summary>Keys that were read after those given. Null: there are none, and reading them again now would be too early.</summary>
    public async ValueTask<IssuerKeySet?> GetNewerAsync(IssuerKeySet known)
    {
        if (ReferenceEquals(Current, known))
        {
            await ReadAsync(isDue: false);
        }

        return Current is { } keys && !ReferenceEquals(keys, known) ? keys : null;
    }

    public override void Dispose()
    {
        base.Dispose();
        _http.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (_jwt.Authority is not null && !stoppingToken.IsCancellationRequested)
        {
            var before = _keys;
            await ReadAsync(isDue: true).WaitAsync(stoppingToken);
            var hasFailed = ReferenceEquals(_keys, before);
            // After a failure sooner: the last keys do not stay for ever.
            var pause = hasFailed && _jwt.KeyRefreshLeast < _jwt.KeyRefresh ? _jwt.KeyRefreshLeast : _jwt.KeyRefresh;
            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private IssuerKeySet? Current => _keys is { } keys && time.GetElapsedTime(keys.ReadAt) < _jwt.KeysKeptFor ? keys : null;

    /// <summary>One reading at a time; whoever comes meanwhile waits for it, 20 s at most (two documents).</summary>
    private Task ReadAsync(bool isDue)
    {
        lock (_gate)
        {
            if (_reading is { IsCompleted: false })
            {
                return _reading;
            }
            if (!isDue && _startedAt is { } at && time.GetElapsedTime(at) < _jwt.KeyRefreshLeast)
            {
                return Task.CompletedTask;
            }

            _startedAt = time.GetTimestamp();
            return _reading = ReadAsync(_jwt.Authority!, _startedAt.Value);
        }
    }

    private async Task ReadAsync(Uri authority, long now)
    {
        try
        {
            var documents = new HttpDocumentRetriever(_http) { RequireHttps = authority.Scheme == Uri.UriSchemeHttps };
            var address = $"{authority.ToString().TrimEnd('/')}/.well-known/openid-configuration";
            var published = await OpenIdConnectConfigurationRetriever.GetAsync(address, documents, CancellationToken.None);
            _keys = new IssuerKeySet(
                published.Issuer, [.. published.SigningKeys], ProviderEndpoints.From(published.AuthorizationEndpoint, published.TokenEndpoint), now);
        }
        catch (Exception e)
        {
            // Whatever it is, the keys were not read; it is tried again.
            if (_outage.IsDue(out var count))
            {
                NotRead(logger, authority, count, _jwt.KeysKeptFor, e);
            }
        }
    }

    [LoggerMessage(LogEvents.Defaults + 40, LogLevel.Warning,
        "The keys of {Authority} cannot be read ({Count} failures since the last such line). The last keys stay in force for {KeptFor}.")]
    private static partial void NotRead(ILogger logger, Uri authority, long count, TimeSpan keptFor, Exception fault);
}
