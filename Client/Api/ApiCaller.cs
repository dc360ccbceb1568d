using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AspireChat.Contracts.Frames;

namespace AspireChat.Client.Api;

/// <summary>
/// Makes calls: adds the token, asks for another one at a 401, repeats what failed in passing, and tells a refusal as a
/// <see cref="ChatException"/>. Thread-safe.
/// </summary>
internal sealed class ApiCaller
{
    private const int LongestProblem = 64 * 1_024;

    private readonly HttpMessageInvoker _http;
    private readonly ChatCallOptions _options;
    private readonly string _gateway;

    /// <exception cref="ArgumentException">An option is missing or cannot work.</exception>
    public ApiCaller(HttpMessageInvoker http, ChatCallOptions options)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(options);
        var problems = string.Join(' ', options.Problems());
        if (problems.Length > 0)
        {
            throw new ArgumentException(problems, nameof(options));
        }

        (_http, _options, _gateway) = (http, options, options.Gateway!.AbsoluteUri.TrimEnd('/'));
    }

    public Task<T> CallAsync<T>(ApiCall call, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class =>
        RunAsync(call, (response, token) => ReadAsync(response, type, token), cancellationToken);

    public Task CallAsync(ApiCall call, CancellationToken cancellationToken) =>
        RunAsync(call, static (_, _) => Task.FromResult(true), cancellationToken);

    /// <summary>
    /// The lines of an answer as they come. The call is repeated until an answer begins; one that breaks off afterwards is
    /// <see cref="ChatErrorCodes.NoAnswer"/>. An attempt may take the whole deadline, and so may a line.
    /// </summary>
    public async IAsyncEnumerable<string> LinesAsync(ApiCall call, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var response = await RunAsync(
            call, static (response, _) => Task.FromResult(response), _options.Deadline, keeps: true, cancellationToken).ConfigureAwait(false);
        using (response)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            while (await NextAsync(reader, patience, cancellationToken).ConfigureAwait(false) is { } line)
            {
                if (line.Length > 0)
                {
                    yield return line;
                }
            }
        }
    }

    private async Task<string?> NextAsync(StreamReader reader, CancellationTokenSource patience, CancellationToken cancellationToken)
    {
        using var timer = _options.TimeProvider.CreateTimer(
            static source => ((CancellationTokenSource)source!).Cancel(), patience, _options.Deadline, Timeout.InfiniteTimeSpan);
        try
        {
            return await reader.ReadLineAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new ChatException(ChatErrorCodes.NoAnswer, "The answer broke off: " + e.Message, e);
        }
    }

    private Task<T> RunAsync<T>(ApiCall call, Func<HttpResponseMessage, CancellationToken, Task<T>> read, CancellationToken cancellationToken) =>
        RunAsync(call, read, _options.AttemptTimeout, keeps: false, cancellationToken);

    /// <param name="patience">Of one attempt.</param>
    /// <param name="keeps">The response outlives the attempt; the caller disposes it.</param>
    private async Task<T> RunAsync<T>(
        ApiCall call, Func<HttpResponseMessage, CancellationToken, Task<T>> read, TimeSpan patience, bool keeps,
        CancellationToken cancellationToken)
    {
        var began = _options.TimeProvider.GetTimestamp();
        var isUncertain = false;
        for (var attempt = 0; ; attempt++)
        {
            var left = _options.Deadline - _options.TimeProvider.GetElapsedTime(began);
            var outcome = await AttemptAsync(call, read, left < patience ? left : patience, keeps, cancellationToken).ConfigureAwait(false);
            if (outcome.Failure is not { } failure)
            {
                return outcome.Answer!;
            }

            // An earlier attempt that had no answer has deleted it.
            if (isUncertain && call.Removes && failure.Status == 404)
            {
                return outcome.Answer!;
            }

            if (!IsPassing(failure) || (call.Repeat == Repeat.WhenRefused && failure.Status != 429))
            {
                throw failure;
            }

            isUncertain |= failure.Status != 429;
            var wait = WaitBefore(attempt, failure.RetryAfter);
            if (_options.TimeProvider.GetElapsedTime(began) + wait >= _options.Deadline)
            {
                throw failure;
            }

            await Task.Delay(wait, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>One attempt, or two when the token is refused.</summary>
    private async Task<Outcome<T>> AttemptAsync<T>(
        ApiCall call, Func<HttpResponseMessage, CancellationToken, Task<T>> read, TimeSpan patience, bool keeps,
        CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(patience, _options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            var token = await TokenAsync(null, either.Token).ConfigureAwait(false);
            var outcome = await AttemptAsync(call, read, token, keeps, either.Token).ConfigureAwait(false);
            if (outcome.Failure?.Status == 401)
            {
                token = await TokenAsync(token, either.Token).ConfigureAwait(false);
                outcome = await AttemptAsync(call, read, token, keeps, either.Token).ConfigureAwait(false);
            }
            return outcome;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            return new(default, new ChatException(ChatErrorCodes.NoAnswer, $"{call.Method} {call.Path} had no answer in time.", e));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new(default, new ChatException(ChatErrorCodes.NoAnswer, $"{call.Method} {call.Path} had no answer: {e.Message}", e));
        }
    }

    private async Task<Outcome<T>> AttemptAsync<T>(
        ApiCall call, Func<HttpResponseMessage, CancellationToken, Task<T>> read, string token, bool keeps,
        CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(call.Method, new Uri(_gateway + call.Path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (call.Body is { } body)
        {
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        }

        var response = await (_http is HttpClient http
            ? http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
            : _http.SendAsync(request, cancellationToken)).ConfigureAwait(false);
        var isKept = false;
        try
        {
            if (!response.IsSuccessStatusCode)
            {
                return new(default, await RefusalAsync(response, cancellationToken).ConfigureAwait(false));
            }

            var answer = await read(response, cancellationToken).ConfigureAwait(false);
            isKept = keeps;
            return new(answer, null);
        }
        catch (JsonException e)
        {
            return new(default, Bad(response, e.Message));
        }
        finally
        {
            if (!isKept)
            {
                response.Dispose();
            }
        }
    }

    private async ValueTask<string> TokenAsync(string? refused, CancellationToken cancellationToken)
    {
        try
        {
            return refused is null
                ? await _options.Tokens.CurrentAsync(cancellationToken).ConfigureAwait(false)
                : await _options.Tokens.RenewAsync(refused, cancellationToken).ConfigureAwait(false);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ChatException(ChatErrorCodes.Token, "The token provider gives no token: " + e.Message, e);
        }
    }

    private TimeSpan WaitBefore(int attempt, TimeSpan? asked)
    {
        var own = Math.Min(_options.RetryDelay.TotalMilliseconds * Math.Pow(2, Math.Min(attempt, 30)), _options.MaxRetryDelay.TotalMilliseconds);
        // Half of it is random, which keeps clients apart. After a time that the server named they come apart too.
        var jitter = own / 2 * Random.Shared.NextDouble();
        return asked is { } wait && wait.TotalMilliseconds >= own / 2
            ? wait + TimeSpan.FromMilliseconds(jitter)
            : TimeSpan.FromMilliseconds((own / 2) + jitter);
    }

    /// <summary>It may succeed a moment later. A quota (<c>limit</c>) is not spent less by then.</summary>
    private static bool IsPassing(ChatException failure) => failure.Status switch
    {
        null => failure.Code == ChatErrorCodes.NoAnswer,
        429 => failure.Code == ErrorCodes.RateLimited,
        408 or 502 or 503 or 504 => true,
        _ => false,
    };

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            return await JsonSerializer.DeserializeAsync(body, type, cancellationToken).ConfigureAwait(false)
                ?? throw new JsonException("the answer is null");
        }
    }

    /// <summary>A problem document (RFC 9457) as an exception. Another body, e.g. of a proxy, gives only the status.</summary>
    private async Task<ChatException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        WireProblem? problem = null;
        if (response.Content.Headers.ContentLength is null or < LongestProblem)
        {
            try
            {
                problem = await ReadAsync(response, ApiJson.Default.WireProblem, cancellationToken).ConfigureAwait(false);
            }
            catch (JsonException)
            {
                // Not of this protocol.
            }
        }

        var status = (int)response.StatusCode;
        var retry = response.Headers.RetryAfter;
        return new ChatException(
            status == 401 ? ChatErrorCodes.Token : problem?.Code ?? CodeOf(response.StatusCode),
            problem?.Detail ?? problem?.Title ?? response.ReasonPhrase ?? "refused")
        {
            Status = status,
            RetryAfter = retry?.Delta ?? (retry?.Date is { } date ? Later(date - _options.TimeProvider.GetUtcNow()) : null),
        };
    }

    private static TimeSpan Later(TimeSpan wait) => wait > TimeSpan.Zero ? wait : TimeSpan.Zero;

    private static ChatException Bad(HttpResponseMessage response, string why) =>
        new(ChatErrorCodes.BadAnswer, "The answer is not of this protocol: " + why) { Status = (int)response.StatusCode };

    private static string CodeOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => ErrorCodes.BadRequest,
        HttpStatusCode.Forbidden => ErrorCodes.Forbidden,
        HttpStatusCode.NotFound => ErrorCodes.NotFound,
        HttpStatusCode.RequestEntityTooLarge => ErrorCodes.TooLarge,
        HttpStatusCode.TooManyRequests => ErrorCodes.RateLimited,
        HttpStatusCode.ServiceUnavailable => ErrorCodes.Unavailable,
        _ => ChatErrorCodes.BadAnswer,
    };

    /// <summary>Of one attempt: an answer, or why there is none.</summary>
    private readonly record struct Outcome<T>(T? Answer, ChatException? Failure);
}
