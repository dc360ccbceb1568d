using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AspireChat.Client.Connecting;
using AspireChat.Client.Profiles;
using AspireChat.Client.Wire;

namespace AspireChat.Client.History;

/// <summary>
/// The result of an HTTP call: a body, or why there is none. <paramref name="Status"/> is 0 when there was no answer, and 401 when a new token was
/// refused too, or will be.
/// </summary>
internal readonly record struct HttpAnswer<T>(T? Body, int Status, TimeSpan? RetryAfter, string? Problem) where T : class
{
    /// <summary>The server would give the same answer again.</summary>
    public bool IsFinal => Body is null && Status is >= 400 and < 500 and not (401 or 408 or 429);
}

/// <summary>The part of the protocol's HTTP API that the client needs. Thread-safe.</summary>
internal sealed class HistoryApi(ChatClientOptions options, TokenSource tokens, KnownProfiles profiles) : IDisposable
{
    public const int LargestPage = 200;

    private readonly HttpMessageInvoker _http = options.Http
        ?? new HttpMessageInvoker(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2) });

    /// <summary>Makes the calls of others too, who do not dispose it.</summary>
    public HttpMessageInvoker Http => _http;

    /// <param name="before">A seq or an opaque cursor, like <paramref name="after"/>. Give at most one of the two.</param>
    public async Task<HttpAnswer<WirePage>> PageAsync(
        Conversation conversation, string? before, string? after, int limit, CancellationToken cancellationToken)
    {
        var place = conversation.IsRoom ? $"/api/rooms/{conversation.RoomId}" : $"/api/dms/{Uri.EscapeDataString(conversation.User)}";
        var path = $"{place}/messages?limit={limit.ToString(CultureInfo.InvariantCulture)}";
        if (before is not null)
        {
            path += "&before=" + Uri.EscapeDataString(before);
        }

        if (after is not null)
        {
            path += "&after=" + Uri.EscapeDataString(after);
        }

        var answer = await SendAsync(HttpMethod.Get, path, WireContext.Default.WirePage, cancellationToken).ConfigureAwait(false);
        profiles.Learn(answer.Body?.Profiles);
        return answer;
    }

    /// <summary>A page of the user's conversations, newest first.</summary>
    /// <param name="after">The <c>next</c> of the page before; null: the first page.</param>
    public async Task<HttpAnswer<WireOverviews>> ConversationsAsync(string? after, CancellationToken cancellationToken)
    {
        var path = "/api/conversations" + (after is null ? "" : "?after=" + Uri.EscapeDataString(after));
        var answer = await SendAsync(HttpMethod.Get, path, WireContext.Default.WireOverviews, cancellationToken).ConfigureAwait(false);
        profiles.Learn(answer.Body?.Profiles);
        return answer;
    }

    /// <summary>A ticket for a socket at a node itself. Status 404: there are none.</summary>
    public Task<HttpAnswer<WireTicket>> TicketAsync(CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, "/api/socket-tickets", WireContext.Default.WireTicket, cancellationToken);

    public void Dispose()
    {
        if (options.Http is null)
        {
            _http.Dispose();
        }
    }

    private async Task<HttpAnswer<T>> SendAsync<T>(
        HttpMethod method, string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class
    {
        using var patience = new CancellationTokenSource(options.ConnectTimeout, options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            var token = await tokens.CurrentAsync(either.Token).ConfigureAwait(false);
            var answer = await SendAsync(method, path, type, token, either.Token).ConfigureAwait(false);
            if (answer.Status == 401)
            {
                token = await tokens.RenewAsync(token, either.Token).ConfigureAwait(false);
                answer = await SendAsync(method, path, type, token, either.Token).ConfigureAwait(false);
            }
            return answer;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(null, 0, null, $"no answer within {options.ConnectTimeout.TotalSeconds} s");
        }
        catch (ChatException e) when (e.IsFinal)
        {
            return new(null, 401, null, e.Message);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException or ChatException)
        {
            return new(null, 0, null, e.Message);
        }
    }

    private async Task<HttpAnswer<T>> SendAsync<T>(
        HttpMethod method, string path, JsonTypeInfo<T> type, string token, CancellationToken cancellationToken) where T : class
    {
        using var request = new HttpRequestMessage(method, new Uri(options.Gateway, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return new(null, (int)response.StatusCode, response.Headers.RetryAfter?.Delta, response.ReasonPhrase);
        }

        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            return new(await JsonSerializer.DeserializeAsync(body, type, cancellationToken).ConfigureAwait(false), 200, null, null);
        }
    }
}
