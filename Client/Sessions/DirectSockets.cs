using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using Microsoft.Extensions.Logging;

namespace AspireChat.Client.Sessions;

/// <summary>
/// Opens sockets at the nodes themselves, past the gateway, where the server offers that. It never fails: without such a socket the caller
/// goes through the gateway. Not thread-safe: the connection loop calls it.
/// </summary>
internal sealed class DirectSockets(ChatClientOptions options, HistoryApi history, ILogger log)
{
    /// <summary>
    /// After a node that could not be reached, because usually all are behind the same firewall, and each attempt delays a connection.
    /// </summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(5);

    private bool _isOff = !options.UseTickets;
    private long? _failedAt;
    private string? _opened;

    /// <summary>Null when there is no ticket, or no node that takes it.</summary>
    public async Task<Connection?> OpenAsync(CancellationToken cancellationToken)
    {
        _opened = null;
        if (_isOff || (_failedAt is { } failed && options.TimeProvider.GetElapsedTime(failed) < Pause))
        {
            return null;
        }

        // The gateway must get its share of the attempt's time.
        using var patience = new CancellationTokenSource(options.ConnectTimeout / 3, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var answer = await history.TicketAsync(either.Token).ConfigureAwait(false);
            if (answer.Status == 404)
            {
                _isOff = true;
                ClientLog.NoTickets(log, answer.Status);
                return null;
            }

            if (SocketTicket.From(answer.Body?.Url, answer.Body?.Ticket, options.Gateway) is not { } ticket)
            {
                return null;
            }

            _opened = ticket.Url.GetLeftPart(UriPartial.Authority);
            return await Connection.OpenAsync(options, ticket, either.Token).ConfigureAwait(false);
        }
        catch (UpgradeException e)
        {
            Failed(e.Message);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Failed("no answer in time");
            return null;
        }
    }

    /// <summary>The socket that was opened is connected.</summary>
    public void Welcomed() => _opened = null;

    /// <summary>The socket that was opened last, if it was a direct one, came to nothing.</summary>
    public void Failed(string reason)
    {
        if (_opened is not { } address)
        {
            return;
        }

        _opened = null;
        _failedAt = options.TimeProvider.GetTimestamp();
        ClientLog.NoDirectSocket(log, address, reason, Pause);
    }
}
