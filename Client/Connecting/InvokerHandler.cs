namespace AspireChat.Client.Connecting;

/// <summary>Lets an <see cref="HttpClient"/> make its calls by the invoker that the client has. Thread-safe.</summary>
internal sealed class InvokerHandler(HttpMessageInvoker invoker) : HttpMessageHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        invoker.SendAsync(request, cancellationToken);
}
