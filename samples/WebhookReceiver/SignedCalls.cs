using System.Text.Json;
using StandardWebhooks;
using StandardWebhooks.Diagnostics;

namespace AspireChat.WebhookReceiver;

/// <summary>Takes the calls of a webhook. Thread-safe.</summary>
internal sealed class SignedCalls(string secret)
{
    private readonly StandardWebhook _webhook = new(secret);
    private readonly TakenIds _taken = new(most: 10_000);

    /// <summary>
    /// Takes a call whose signature and time are right, and handles its events in their order. A call that was taken before is answered alike
    /// and does nothing. One whose handling fails is answered 500 and comes again, so handling must bear a repeat.
    /// </summary>
    public async Task<IResult> TakeAsync(HttpRequest request, Func<JsonElement, CancellationToken, Task> handle)
    {
        using var reader = new StreamReader(request.Body);
        var body = await reader.ReadToEndAsync(request.HttpContext.RequestAborted);
        try
        {
            _webhook.Verify(body, request.Headers);
        }
        catch (WebhookVerificationException)
        {
            return Results.Unauthorized();
        }

        var id = request.Headers["webhook-id"].ToString();
        if (_taken.Contains(id))
        {
            return Results.NoContent();
        }

        using var document = JsonDocument.Parse(body);
        foreach (var e in document.RootElement.GetProperty("events").EnumerateArray())
        {
            await handle(e, request.HttpContext.RequestAborted);
        }

        _taken.Add(id);
        return Results.NoContent();
    }
}
