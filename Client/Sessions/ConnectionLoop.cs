using AspireChat.Client.Connecting;
using AspireChat.Client.History;
using AspireChat.Client.Wire;
using AspireChat.Contracts.Frames;
using Microsoft.Extensions.Logging;

namespace AspireChat.Client.Sessions;

/// <summary>
/// Keeps one session connected. It opens a connection, watches it, renews its token and opens another one after a loss, until the client
/// stops or must not come back.
/// </summary>
internal sealed class ConnectionLoop(
    Session session, ChatClientOptions options, TokenSource tokens, HistoryApi history, ILogger log)
{
    /// <summary>A token is renewed this long before it expires, or when a fifth of its life is left if that is later.</summary>
    private static readonly TimeSpan RenewEarly = TimeSpan.FromMinutes(1);

    /// <summary>
    /// The shortest time between two renewals. A clock that runs ahead would find each new token expired; if the token really has expired,
    /// the server closes with 4002.
    /// </summary>
    private static readonly TimeSpan RenewAtMostEvery = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan GoodbyeWithin = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    private readonly TimeProvider _time = options.TimeProvider;
    private readonly DirectSockets _direct = new(options, history, log);
    private string? _refused;
    private TaskCompletionSource<DateTimeOffset>? _authenticated;

    /// <summary>Runs until <paramref name="stop"/>, or until the server or the token provider says not to come back.</summary>
    /// <returns>Why the last connection ended; null when the loop was stopped.</returns>
    public async Task<ConnectionEnd?> RunAsync(CancellationToken stop)
    {
        var (failures, refusals) = (0, 0);
        session.Report(new ChatConnectionChanged(ChatConnectionState.Connecting, null, null, null, null));
        try
        {
            while (true)
            {
                var end = await ConnectAsync(stop).ConfigureAwait(false);
                stop.ThrowIfCancellationRequested();
                var decision = ReconnectPolicy.Decide(end, failures, refusals, options);
                if (decision.IsFinal)
                {
                    return end with { Code = end.Code ?? CodeOf(end.HttpStatus) };
                }

                (failures, refusals) = (decision.Failures, decision.Refusals);
                ClientMetrics.Reconnects.Add(1, new KeyValuePair<string, object?>("code", end.Code ?? end.HttpStatus ?? 0));
                ClientLog.Lost(log, end.Code ?? end.HttpStatus, end.Reason, decision.Wait);
                session.Report(new ChatConnectionChanged(ChatConnectionState.Reconnecting, null, end.Code, end.Reason, decision.Wait));
                if (decision.Wait > TimeSpan.Zero)
                {
                    await Task.Delay(decision.Wait, _time, stop).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<ConnectionEnd> ConnectAsync(CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(options.ConnectTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        try
        {
            await session.BeforeConnectAsync(either.Token).ConfigureAwait(false);
            var token = await tokens.RenewAsync(_refused, either.Token).ConfigureAwait(false);
            using var connection = await OpenAsync(token, either.Token).ConfigureAwait(false);
            if (await connection.ReadAsync(either.Token).ConfigureAwait(false) is not { } first)
            {
                _direct.Failed(connection.CloseReason ?? connection.AbortReason ?? "closed before the welcome");
                return EndOf(connection, lived: null, leaveIn: null);
            }

            _direct.Welcomed();

            if (!ServerFrameReader.TryRead(first.Span, out var welcome, out var problem) || welcome.Type != "welcome")
            {
                return new ConnectionEnd { Reason = problem ?? $"the first frame was '{welcome!.Type}'" };
            }

            if (session.User is { } user && user != welcome.User)
            {
                return new ConnectionEnd
                {
                    Final = ChatErrorCodes.Forbidden,
                    Reason = $"the token is for {welcome.User}, but the session belongs to {user}",
                };
            }
            // From here on the watch for silence ends the connection, and no longer the timeout of the attempt.
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            return await LiveAsync(connection, welcome, token, either.Token).ConfigureAwait(false);
        }
        catch (UpgradeException e)
        {
            return new ConnectionEnd { Reason = e.Message, HttpStatus = e.Status, RetryAfter = e.RetryAfter };
        }
        catch (UnauthorizedAccessException e)
        {
            return new ConnectionEnd { Final = ChatErrorCodes.Token, Reason = e.Message };
        }
        catch (ChatException e) when (e.IsFinal)
        {
            return new ConnectionEnd { Final = e.Code, Reason = e.Message };
        }
        catch (ChatException e)
        {
            session.Fault(e.Code, e.Message);
            return new ConnectionEnd { Reason = e.Message };
        }
        catch (OperationCanceledException)
        {
            _direct.Failed("no welcome");
            return new ConnectionEnd { Reason = $"no connection within {options.ConnectTimeout.TotalSeconds} s" };
        }
    }

    private async Task<Connection> OpenAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await _direct.OpenAsync(cancellationToken).ConfigureAwait(false)
                ?? await Connection.OpenAsync(options, token, cancellationToken).ConfigureAwait(false);
            _refused = null;
            return connection;
        }
        catch (UpgradeException e) when (e.Status == 401)
        {
            _refused = token;
            throw;
        }
    }

    private async Task<ConnectionEnd> LiveAsync(Connection connection, WireFrame welcome, string token, CancellationToken stop)
    {
        var since = _time.GetTimestamp();
        TimeSpan? leaveAt = null;
        using var life = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var goodbye = _time.CreateTimer(
            _ => connection.Abort("closed by this client"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // Cancelling the read would cut the socket. The read ends with the server's answer to the close, or when the timer aborts it.
        using var stopping = stop.UnsafeRegister(_ =>
        {
            connection.Close();
            goodbye.Change(GoodbyeWithin, Timeout.InfiniteTimeSpan);
        }, null);
        using var leaving = _time.CreateTimer(
            _ => connection.Abort("the node is draining"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var watching = WatchAsync(connection, TimeSpan.FromSeconds(welcome.Heartbeat!.Value), life.Token);
        var renewing = RenewAsync(connection, ServerFrameReader.ToTime(welcome.Expires)!.Value, token, life.Token);
        try
        {
            session.OnWelcome(connection, welcome);
            while (await connection.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { } message)
            {
                if (!ServerFrameReader.TryRead(message.Span, out var frame, out var problem))
                {
                    session.Fault(ErrorCodes.BadRequest, problem);
                }
                else if (frame.Type == "reconnect")
                {
                    var after = TimeSpan.FromMilliseconds(frame.After!.Value);
                    leaveAt = _time.GetElapsedTime(since) + after;
                    leaving.Change(after, Timeout.InfiniteTimeSpan);
                }
                else if (frame.Type == "authenticated")
                {
                    Volatile.Read(ref _authenticated)?.TrySetResult(ServerFrameReader.ToTime(frame.Expires)!.Value);
                }
                else
                {
                    session.OnFrame(frame);
                }
            }
        }
        finally
        {
            session.OnDown(connection);
            await life.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(watching, renewing).ConfigureAwait(false);
        }
        var lived = _time.GetElapsedTime(since);
        if (connection.CloseCode == CloseCodes.TokenExpired)
        {
            _refused = await tokens.CurrentAsync(CancellationToken.None).ConfigureAwait(false);
        }

        return EndOf(connection, lived, leaveAt - lived);
    }

    /// <summary>Sends a ping after a heartbeat of silence, and ends the connection if nothing comes back.</summary>
    private async Task WatchAsync(Connection connection, TimeSpan heartbeat, CancellationToken cancellationToken)
    {
        try
        {
            for (var pings = 1; ; pings++)
            {
                while (heartbeat - connection.Silence is { Ticks: > 0 } left)
                {
                    await Task.Delay(left, _time, cancellationToken).ConfigureAwait(false);
                }

                var heard = connection.Messages;
                connection.Write(ClientFrames.Ping("ping-" + pings), droppable: false);
                await Task.Delay(options.PongTimeout, _time, cancellationToken).ConfigureAwait(false);
                // Any message since then proves that the connection is alive.
                if (connection.Messages == heard)
                {
                    connection.Abort("the connection fell silent");
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The connection ended first.
        }
    }

    private async Task RenewAsync(Connection connection, DateTimeOffset expires, string token, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await DelayAsync(UntilRenewal(expires), cancellationToken).ConfigureAwait(false);
                if (await AskAsync(cancellationToken).ConfigureAwait(false) is not { } renewed || renewed == token)
                {
                    // The provider has no newer token yet, so it is asked again soon, while the present one is valid.
                    var left = expires - _time.GetUtcNow();
                    var soon = TimeSpan.FromSeconds(Math.Clamp(left.TotalSeconds / 4, 1, RenewAtMostEvery.TotalSeconds));
                    await DelayAsync(soon, cancellationToken).ConfigureAwait(false);
                    continue;
                }
                var answer = new TaskCompletionSource<DateTimeOffset>(TaskCreationOptions.RunContinuationsAsynchronously);
                Volatile.Write(ref _authenticated, answer);
                connection.Write(ClientFrames.Auth(renewed), droppable: false);
                try
                {
                    expires = await answer.Task.WaitAsync(options.ConnectTimeout, _time, cancellationToken).ConfigureAwait(false);
                    token = renewed;
                }
                catch (TimeoutException)
                {
                    session.Fault(ChatErrorCodes.Token, "The server did not take the renewed token.");
                    await DelayAsync(RenewAtMostEvery, cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The connection ended first.
        }
    }

    private TimeSpan UntilRenewal(DateTimeOffset expires)
    {
        var left = expires - _time.GetUtcNow();
        if (left <= TimeSpan.Zero)
        {
            return RenewAtMostEvery;
        }

        return left - (left / 5 < RenewEarly ? left / 5 : RenewEarly);
    }

    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await tokens.RenewAsync(null, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ChatException or UnauthorizedAccessException)
        {
            // The connection lives until its token expires. Then the provider is asked again.
            session.Fault(ChatErrorCodes.Token, e.Message);
            return null;
        }
    }

    private async Task DelayAsync(TimeSpan delay, CancellationToken cancellationToken)
    {
        for (; delay > LongestDelay; delay -= LongestDelay)
        {
            await Task.Delay(LongestDelay, _time, cancellationToken).ConfigureAwait(false);
        }

        await Task.Delay(delay, _time, cancellationToken).ConfigureAwait(false);
    }

    private static int? CodeOf(int? status) => status switch { 401 => CloseCodes.Unauthorized, 403 => CloseCodes.Forbidden, _ => null };

    private static ConnectionEnd EndOf(Connection connection, TimeSpan? lived, TimeSpan? leaveIn) => new()
    {
        Code = connection.CloseCode,
        Reason = connection.CloseReason is { Length: > 0 } reason
            ? reason
            : connection.AbortReason ?? (connection.CloseCode is { } code ? $"closed with {code}" : "lost"),
        Lived = lived,
        LeaveIn = leaveIn,
    };
}
