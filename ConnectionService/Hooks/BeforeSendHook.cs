using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using AspireChat.ConnectionService.Log;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.ServiceDefaults;
using Microsoft.Extensions.Options;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace AspireChat.ConnectionService.Hooks;

internal enum HookDecision
{
    Allow,

    /// <summary>Answer <c>forbidden</c> with <see cref="HookVerdict.Reason"/>.</summary>
    Deny,

    /// <summary>Too many events wait for their turn: answer <c>unavailable</c>.</summary>
    Busy,
}

/// <param name="Event">What is to be appended.</param>
internal readonly record struct HookVerdict(HookDecision Decision, ConversationEvent Event, string Reason);

/// <summary>
/// Asks the product's server before an event is accepted. Thread-safe. A caller who awaits each answer keeps the order of what it sends, and
/// holds one event at most.
/// <para>
/// A server that fails or hangs is not asked for a while (circuit breaker), so that it costs messages their second only until then. A node
/// that has too much to ask answers <c>unavailable</c>, whatever <see cref="BeforeSendOptions.WhenDown"/> says: nobody gets past the
/// server by sending much.
/// </para>
/// </summary>
internal sealed partial class BeforeSendHook : IDisposable
{
    private const string IsDown = "the check before sending cannot be made at the moment";

    /// <summary>Users' events that wait in each of their turns, beyond those under way.</summary>
    private const int WaitingOfUser = 64;

    private readonly BeforeSendOptions _options;
    private readonly KnownNonces _nonces;
    private readonly HookMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<BeforeSendHook> _logger;
    private readonly HttpClient _http;
    private readonly WebhookSignature? _signature;
    private readonly FairTurns _turns;
    private readonly RecurringFault _fault;
    private readonly ResiliencePipeline<HookAnswer?> _pipeline;

    public BeforeSendHook(
        IOptions<BeforeSendOptions> options, KnownNonces nonces, HookMetrics metrics, TimeProvider time, ILogger<BeforeSendHook> logger)
    {
        _options = options.Value;
        (_nonces, _metrics, _time, _logger) = (nonces, metrics, time, logger);
        _http = OutsideHttp.Create(_options.InFlight, allowPrivate: true, _options.Timeout);
        _signature = _options.Secret is { } secret ? new WebhookSignature(secret) : null;
        _turns = new FairTurns(_options.InFlight, WaitingOfUser, 64 * _options.InFlight, time);
        _fault = new RecurringFault(time);
        _pipeline = new ResiliencePipelineBuilder<HookAnswer?> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HookAnswer?>
            {
                // No answer is one that could not be used.
                ShouldHandle = new PredicateBuilder<HookAnswer?>().HandleResult((HookAnswer?)null)
                    .Handle<HttpRequestException>().Handle<IOException>().Handle<TimeoutRejectedException>(),
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = TimeSpan.FromSeconds(5),
            })
            .AddTimeout(_options.Timeout)
            .Build();
    }

    /// <summary>Messages and edits. What is deleted or reacted to was asked for when it was sent.</summary>
    public static bool AppliesTo(EventKind kind) => kind is EventKind.Room or EventKind.Dm or EventKind.Edit;

    /// <param name="e">An event without its place.</param>
    /// <param name="longestContent">Of a replacement, in UTF-16 code units.</param>
    public async ValueTask<HookVerdict> AskAsync(ConversationEvent e, int longestContent, CancellationToken cancellationToken)
    {
        // The log answers a repeat with the first event's place. What this one says is ignored there.
        if (await _nonces.HasAsync(e, cancellationToken))
        {
            _metrics.Count("repeated");
            return new HookVerdict(HookDecision.Allow, e, "");
        }

        if (!await _turns.EnterAsync(e.From, _options.Patience, cancellationToken))
        {
            _metrics.Count("busy");
            return new HookVerdict(HookDecision.Busy, e, "");
        }

        try
        {
            var answer = await TryCallAsync(e, longestContent, cancellationToken);
            return answer switch
            {
                null => Fallback(e),
                { Allow: false } => Verdict("denied", HookDecision.Deny, e, answer.Reason),
                { Content: null, Meta: null } => Verdict("allowed", HookDecision.Allow, e, ""),
                _ => Verdict("replaced", HookDecision.Allow, Replaced(e, answer), ""),
            };
        }
        finally
        {
            _turns.Leave();
        }
    }

    public void Dispose() => _http.Dispose();

    private static ConversationEvent Replaced(ConversationEvent e, HookAnswer answer) => e with
    {
        Content = answer.Content ?? e.Content,
        Details = answer.Meta is null ? e.Details : (e.Details ?? new MessageDetails()) with { Meta = answer.Meta },
    };

    private HookVerdict Verdict(string outcome, HookDecision decision, ConversationEvent e, string reason)
    {
        _metrics.Count(outcome);
        return new HookVerdict(decision, e, reason);
    }

    private HookVerdict Fallback(ConversationEvent e) => _options.WhenDown == HookFallback.Allow
        ? Verdict("down", HookDecision.Allow, e, "")
        : Verdict("down", HookDecision.Deny, e, IsDown);

    /// <summary>Null: no valid answer in time.</summary>
    private async ValueTask<HookAnswer?> TryCallAsync(ConversationEvent e, int longestContent, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await _pipeline.ExecuteAsync(
                static (call, token) => call.Hook.CallAsync(call.Event, call.LongestContent, token),
                (Hook: this, Event: e, LongestContent: longestContent),
                cancellationToken);
            if (answer is null)
            {
                Report(null);
            }

            return answer;
        }
        catch (BrokenCircuitException)
        {
            return null;
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or TimeoutRejectedException)
        {
            Report(fault);
            return null;
        }
    }

    private async ValueTask<HookAnswer?> CallAsync(ConversationEvent e, int longestContent, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var body = EventFrames.Encode(e, withNonce: true);
        using var request = new HttpRequestMessage(HttpMethod.Post, _options.Url) { Content = new ReadOnlyMemoryContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(MediaTypeNames.Application.Json);
        _signature?.Sign(request, $"msg_{e.Id:N}", _time.GetUtcNow(), body);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        HookAnswer? answer = null;
        if (response.StatusCode == HttpStatusCode.OK)
        {
            // Each code unit of a content takes six bytes at most; the rest is reason and meta.
            var bytes = await ReadAsync(response.Content, (6 * longestContent) + (32 * 1_024), cancellationToken);
            answer = bytes is { } whole ? HookAnswer.Read(whole, longestContent) : null;
        }

        _metrics.Called(_time.GetElapsedTime(started));
        return answer;
    }

    /// <summary>Null when there are more bytes than <paramref name="most"/>.</summary>
    private static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpContent content, int most, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[1_024];
        var length = 0;
        while (await stream.ReadAsync(buffer.AsMemory(length), cancellationToken) is var read and > 0)
        {
            length += read;
            if (length > most)
            {
                return null;
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * length);
            }
        }
        return buffer.AsMemory(0, length);
    }

    private void Report(Exception? fault)
    {
        if (_fault.IsDue(out var count))
        {
            Down(_logger, fault, _options.WhenDown, count);
        }
    }

    [LoggerMessage(LogEvents.Connection + 900, LogLevel.Warning,
        "The hook before a send gave no valid answer in time; {Fallback} counts ({Count} times since the last such line)")]
    private static partial void Down(ILogger logger, Exception? exception, HookFallback fallback, long count);
}

internal static class HookRegistration
{
    /// <summary>The hook before a send. Nothing is registered where it is not configured.</summary>
    public static IHostApplicationBuilder AddHooks(this IHostApplicationBuilder builder)
    {
        if (builder.Configuration[$"{BeforeSendOptions.Section}:{nameof(BeforeSendOptions.Url)}"] is { Length: > 0 })
        {
            builder.Services.AddValidatedOptions<BeforeSendOptions>(BeforeSendOptions.Section);
            builder.Services.AddSingleton<HookMetrics>();
            builder.Services.AddSingleton<KnownNonces>();
            builder.Services.AddSingleton<BeforeSendHook>();
        }

        return builder;
    }
}
