using System.Net;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>What became of a call.</summary>
/// <param name="Error">Null: it was taken. Otherwise why not, without anything that the receiver or a user wrote.</param>
/// <param name="RetryAfter">The receiver asked not to be called before: with a status of 429 or 503, at most <see cref="Longest"/>.</param>
internal readonly record struct WebhookAnswer(string? Error, TimeSpan RetryAfter = default)
{
    /// <summary>
    /// A receiver is not obeyed beyond this: one that answers a wrong date must not keep its events until they are dead letters.
    /// </summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    public static WebhookAnswer Of(HttpResponseMessage response, DateTimeOffset now)
    {
        var status = response.StatusCode;
        if (status is >= HttpStatusCode.OK and < HttpStatusCode.MultipleChoices)
        {
            return new WebhookAnswer(null);
        }

        var asked = status is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable ? response.Headers.RetryAfter : null;
        var wait = asked?.Delta ?? asked?.Date - now ?? TimeSpan.Zero;
        return new WebhookAnswer($"status {(int)status}", TimeSpan.FromTicks(Math.Clamp(wait.Ticks, 0, Longest.Ticks)));
    }
}
