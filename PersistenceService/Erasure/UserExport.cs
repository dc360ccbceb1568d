using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.PersistenceService.History;
using AspireChat.PersistenceService.Writing;
using AspireChat.RedisLog;
using Npgsql;

namespace AspireChat.PersistenceService.Erasure;

/// <summary>
/// Everything that is kept about a user, as lines of JSON (NDJSON): the profile, memberships with their read cursors, bans and mutes, then the
/// events that the user sent, in the order of their conversations. Each line has a <c>kind</c>. It is written as it is read, so its size has no bound. It begins when
/// what was sent before is committed. One export runs at a time; another one is answered 503. Thread-safe.
/// </summary>
internal sealed class UserExport(NpgsqlDataSource database, EventTable events, CommittedLog log, TimeProvider time)
{
    /// <summary>Bytes that are written before they are sent. One line may add more.</summary>
    private const int Piece = 16 * 1_024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private int _isRunning;

    public async Task WriteAsync(string user, HttpContext context)
    {
        if (Interlocked.Exchange(ref _isRunning, 1) == 1)
        {
            await context.WriteUnavailableAsync();
            return;
        }
        try
        {
            await WriteAloneAsync(user, context);
        }
        finally
        {
            Volatile.Write(ref _isRunning, 0);
        }
    }

    private async Task WriteAloneAsync(string user, HttpContext context)
    {
        try
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, context.RequestAborted);
            await log.CatchUpAsync(either.Token);
        }
        catch (Exception e) when (DatabaseFaults.Is(e) || RedisFaults.IsAwayOrRefused(e)
            || (e is OperationCanceledException && !context.RequestAborted.IsCancellationRequested))
        {
            await context.WriteUnavailableAsync();
            return;
        }

        context.Response.ContentType = "application/x-ndjson; charset=utf-8";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter, Options);
        await WriteProfileAsync(user, json, context);
        await WriteMembershipsAsync(user, json, context);
        await WriteRestrictionsAsync(user, json, context);
        await foreach (var e in events.ReadOfSenderAsync(user, context.RequestAborted))
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, "event"u8);
            json.WriteString("conversation"u8, e.Conversation.IsRoom ? e.Conversation.RoomId : e.Conversation.Other(user));
            json.WritePropertyName("event"u8);
            new HistoryItem(e, deleted: e.Deleted).Write(json, user);
            await EndLineAsync(json, context);
        }

        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    private async Task WriteProfileAsync(string user, Utf8JsonWriter json, HttpContext context)
    {
        await foreach (var reader in RowsAsync(
            "SELECT name, picture, first_seen FROM users WHERE user_id = $1",
            user, context.RequestAborted))
        {
            json.WriteStartObject();
            json.WriteString("kind"u8, "profile"u8);
            json.WriteString("user"u8, user);
            json.WriteString("name"u8, reader.IsDBNull(0) ? null : reader.GetString(0));
            json.WriteString("picture"u8, reader.IsDBNull(1) ? null : reader.GetString(1));
            json.WriteString("firstSeen"u8, reader.IsDBNull(2) ? null : Timestamps.ToText(new DateTimeOffset(reader.GetDateTime(2))));
            await EndLineAsync(json, context);
        }
    }

    private async Task WriteRestrictionsAsync(string user, Utf8JsonWriter json, HttpContext context)
    {
        await foreach (var reader in RowsAsync(
            "SELECT conversation, kind, until, reason FROM restrictions WHERE member = $1 AND active ORDER BY conversation, kind",
            user, context.RequestAborted))
        {
            if (!ConversationKey.TryParse(reader.GetString(0), out var room) || !room.IsRoom)
            {
                continue;
            }

            json.WriteStartObject();
            json.WriteString("kind"u8, reader.GetInt16(1) == 0 ? "ban"u8 : "mute"u8);
            json.WriteString("room"u8, room.RoomId);
            json.WriteString("until"u8, reader.IsDBNull(2) ? null : Timestamps.ToText(new DateTimeOffset(reader.GetDateTime(2))));
            json.WriteString("reason"u8, reader.IsDBNull(3) ? null : reader.GetString(3));
            await EndLineAsync(json, context);
        }
    }

    private async Task WriteMembershipsAsync(string user, Utf8JsonWriter json, HttpContext context)
    {
        await foreach (var reader in RowsAsync(
            "SELECT conversation, joined, read, joined_at FROM members WHERE member = $1 ORDER BY conversation",
            user, context.RequestAborted))
        {
            if (!ConversationKey.TryParse(reader.GetString(0), out var conversation))
            {
                continue;
            }

            json.WriteStartObject();
            json.WriteString("kind"u8, "membership"u8);
            if (conversation.IsRoom)
            {
                json.WriteString("room"u8, conversation.RoomId);
            }
            else
            {
                json.WriteString("to"u8, conversation.Other(user));
            }

            json.WriteBoolean("joined"u8, reader.GetBoolean(1));
            json.WriteNumber("read"u8, reader.GetInt64(2));
            json.WriteString("since"u8, Timestamps.ToText(new DateTimeOffset(reader.GetDateTime(3))));
            await EndLineAsync(json, context);
        }
    }

    /// <summary>The rows of a query about the user, however many; the reader stands on each in turn.</summary>
    private async IAsyncEnumerable<NpgsqlDataReader> RowsAsync(
        string sql, string user, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 0;
        command.Parameters.Add(new() { Value = user });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            yield return reader;
        }
    }

    private static async Task EndLineAsync(Utf8JsonWriter json, HttpContext context)
    {
        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
        json.Reset();
        context.Response.BodyWriter.Write("\n"u8);
        if (context.Response.BodyWriter.UnflushedBytes >= Piece)
        {
            // Waits while the client has enough to read.
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        }
    }
}
