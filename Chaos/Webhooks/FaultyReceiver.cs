using System.Text;
using AspireChat.Chaos.Ledgers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AspireChat.Chaos.Webhooks;

/// <summary>What a product's server does to a call.</summary>
internal enum ReceiverFault
{
    Slow,
    Failing,
    Redirecting,
    Hanging,

    /// <summary>The connection is reset.</summary>
    Cutting,

    /// <summary>A status that refuses, and megabytes that are no answer.</summary>
    Garbage,

    /// <summary>It takes the call, and the answer is lost.</summary>
    Forgetful,

    /// <summary>Calls of some conversations fail, those of others are taken.</summary>
    Choosy,
}

/// <summary>
/// A product's server that misbehaves in turns, one kind after another, until it is healed. It notes each call in a
/// <see cref="WebhookLedger"/>. Thread-safe.
/// </summary>
internal sealed class FaultyReceiver : IAsyncDisposable
{
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private readonly WebApplication _app;
    private readonly Random _random;
    private readonly CancellationTokenSource _heal = new();
    private readonly SortedDictionary<ReceiverFault, int> _turns = [];
    private Task _turning = Task.CompletedTask;
    private volatile object? _fault;

    private FaultyReceiver(WebApplication app, int seed, Ledger ledger)
    {
        (_app, _random) = (app, new Random(seed));
        Calls = new WebhookLedger(ledger);
    }

    public WebhookLedger Calls { get; }

    public string Url => _app.Urls.First() + "/hook";

    /// <summary>How often each fault had its turn. Read it when healed.</summary>
    public IReadOnlyDictionary<ReceiverFault, int> Turns => _turns;

    public static async Task<FaultyReceiver> StartAsync(int seed, Ledger ledger)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var receiver = new FaultyReceiver(builder.Build(), seed, ledger);
        receiver._app.MapPost("/hook", receiver.AnswerAsync);
        receiver._app.MapPost("/elsewhere", () => ledger.Findings.Add(Breach.Phantom, "a webhook followed a redirect"));
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Begins to misbehave: as long well as ill.</summary>
    public void Begin() => _turning = TurnAsync();

    /// <summary>From here on every call is taken.</summary>
    public async Task HealAsync()
    {
        await _heal.CancelAsync();
        await _turning;
        _fault = null;
    }

    public async ValueTask DisposeAsync()
    {
        await HealAsync();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
        _heal.Dispose();
    }

    private async Task TurnAsync()
    {
        var kinds = Enum.GetValues<ReceiverFault>();
        try
        {
            while (true)
            {
                _random.Shuffle(kinds);
                foreach (var kind in kinds)
                {
                    _fault = kind;
                    _turns[kind] = _turns.GetValueOrDefault(kind) + 1;
                    await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(300, 1_500)), TimeProvider.System, _heal.Token);
                    _fault = null;
                    await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(300, 1_000)), TimeProvider.System, _heal.Token);
                }
            }
        }
        catch (OperationCanceledException) when (_heal.IsCancellationRequested)
        {
            // Healed.
        }
    }

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        var call = Calls.Arrived(context.Request.Headers["webhook-id"].ToString(), body);
        switch (_fault as ReceiverFault?)
        {
            case ReceiverFault.Slow:
                await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, context.RequestAborted);
                break;
            case ReceiverFault.Failing:
            case ReceiverFault.Choosy when call.Conversation.GetHashCode(StringComparison.Ordinal) % 2 == 0:
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return;
            case ReceiverFault.Redirecting:
                context.Response.Redirect("/elsewhere", permanent: false, preserveMethod: true);
                return;
            case ReceiverFault.Hanging:
                using (var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _heal.Token))
                {
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                context.Abort();
                return;
            case ReceiverFault.Cutting:
                context.Abort();
                return;
            case ReceiverFault.Garbage:
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                await WriteGarbageAsync(context);
                return;
            case ReceiverFault.Forgetful:
                Calls.Taken(call);
                context.Abort();
                return;
        }
        Calls.Taken(call);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    private static async Task WriteGarbageAsync(HttpContext context)
    {
        var garbage = new byte[64 * 1_024];
        Random.Shared.NextBytes(garbage);
        try
        {
            for (var i = 0; i < 64; i++)
            {
                await context.Response.Body.WriteAsync(garbage, context.RequestAborted);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Nobody reads it, as it should be.
        }
    }
}
