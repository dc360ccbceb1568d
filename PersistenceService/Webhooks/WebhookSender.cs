using System.Net.Http.Headers;
using System.Net.Mime;
using System.Net.Sockets;
using AspireChat.PersistenceService.Outbox;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>
/// Posts batches to one webhook. Only a status of 200–299 takes one. Redirects are not followed, and answers are read no further than it takes to
/// use the connection again. Thread-safe.
/// </summary>
internal sealed class WebhookSender(WebhookTarget target, WebhookOptions options, TimeProvider time) : IDisposable
{
    private readonly HttpClient _http = OutsideHttp.Create(options.InFlight, options.AllowPrivate, options.Timeout);
    private readonly WebhookSignature _signature = new(target.Secret);

    /// <exception cref="OperationCanceledException">The token was cancelled; it may have been taken.</exception>
    public async Task<WebhookAnswer> SendAsync(WebhookBatch batch, CancellationToken cancellationToken)
    {
        var body = batch.ToBody();
        using var limit = new CancellationTokenSource(options.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Post, target.Url) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        request.Headers.UserAgent.ParseAdd("AspireChat");
        _signature.Sign(request, batch.MessageId, time.GetUtcNow(), body);
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return WebhookAnswer.Of(response, time.GetUtcNow());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new WebhookAnswer("no answer in time");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidOperationException)
        {
            return new WebhookAnswer(ReasonOf(e));
        }
    }

    public void Dispose() => _http.Dispose();

    private static string ReasonOf(Exception e) => e switch
    {
        _ when e is PrivateAddressException || e.InnerException is PrivateAddressException => "the address is private, loopback or link-local",
        _ when e.InnerException is SocketException socket => $"no connection: {socket.SocketErrorCode}",
        HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } request => $"no valid answer: {request.HttpRequestError}",
        _ => $"no valid answer: {e.GetType().Name}",
    };
}
