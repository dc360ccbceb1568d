using System.Text.Json;
using AspireChat.Contracts.Frames;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using AspireChat.ServiceDefaults;

namespace AspireChat.PersistenceService.DeadLetters;

/// <summary>
/// The operator's view of the dead letters, with internal tokens only: <c>GET /internal/dead-letters?limit=</c>,
/// <c>POST /internal/dead-letters/replay?id=</c> (all without an id), <c>POST /internal/dead-letters/discard?id=</c>.
/// </summary>
internal static class DeadLetterEndpoints
{
    private const int ShownPerPartition = 100;

    /// <summary>A replay waits no longer for a PostgreSQL that is away: the letters stay where they are.</summary>
    private static readonly TimeSpan ReplayLimit = TimeSpan.FromSeconds(30);

    public static IHostApplicationBuilder AddDeadLetters(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DeadLetterQueue>();
        return builder;
    }

    public static void MapDeadLetters(this IEndpointRouteBuilder routes)
    {
        var letters = routes.MapGroup("/internal/dead-letters").RequireAuthorization(ChatPolicies.Internal);
        letters.MapGet("", ListAsync);
        letters.MapPost("/replay", ReplayAsync);
        letters.MapPost("/discard", DiscardAsync);
    }

    private static async Task ListAsync(HttpContext context, DeadLetterQueue queue)
    {
        List<DeadLetter> letters;
        try
        {
            letters = await queue.ListAsync(ShownPerPartition);
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e))
        {
            await context.WriteUnavailableAsync();
            return;
        }
        await WriteAsync(context, json =>
        {
            json.WriteStartArray("items"u8);
            foreach (var letter in letters)
            {
                json.WriteStartObject();
                json.WriteString("id"u8, letter.Id);
                json.WriteNumber("partition"u8, letter.Partition);
                json.WriteString("entry"u8, letter.Entry.Id.ToString());
                json.WriteString("conversation"u8, letter.Entry.Conversation);
                json.WriteNumber("seq"u8, letter.Entry.Seq);
                json.WriteString("epoch"u8, letter.Entry.Epoch);
                json.WriteString("why"u8, letter.Why);
                json.WriteString("record"u8, letter.Entry.Raw.ToString());
                json.WriteEndObject();
            }
            json.WriteEndArray();
        });
    }

    private static async Task ReplayAsync(HttpContext context, DeadLetterQueue queue, TimeProvider time, string? id)
    {
        using var limit = new CancellationTokenSource(ReplayLimit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            var (stored, refused) = await queue.ReplayAsync(id, either.Token);
            await WriteAsync(context, json =>
            {
                json.WriteNumber("stored"u8, stored);
                json.WriteNumber("refused"u8, refused);
            });
        }
        catch (Exception e)
            when (RedisFaults.IsAwayOrRefused(e) || e is OperationCanceledException || DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
        }
    }

    private static async Task DiscardAsync(HttpContext context, DeadLetterQueue queue, string id)
    {
        try
        {
            if (await queue.DiscardAsync(id))
            {
                await WriteAsync(context, json => json.WriteString("discarded"u8, id));
            }
            else
            {
                await context.WriteProblemAsync(
                    StatusCodes.Status404NotFound, "There is no dead letter with this id.", ErrorCodes.NotFound);
            }
        }
        catch (Exception e) when (RedisFaults.IsAwayOrRefused(e) || DatabaseFaults.Is(e))
        {
            await context.WriteUnavailableAsync();
        }
    }

    private static async Task WriteAsync(HttpContext context, Action<Utf8JsonWriter> content)
    {
        await using var answer = new JsonAnswer(context);
        answer.Json.WriteStartObject();
        content(answer.Json);
        answer.Json.WriteEndObject();
    }
}
