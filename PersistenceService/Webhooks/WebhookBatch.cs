using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using AspireChat.Contracts;
using AspireChat.Contracts.Conversations;
using AspireChat.Contracts.Frames;
using AspireChat.Contracts.Log;
using AspireChat.PersistenceService.Outbox;

namespace AspireChat.PersistenceService.Webhooks;

/// <summary>One row of what a batch tells.</summary>
/// <param name="Position">Place in the outbox; not known of a batch that was tried before.</param>
/// <param name="Event">Null: there is none, or it is gone (its room was deleted).</param>
/// <param name="Deleted">Its content is gone.</param>
/// <param name="Edited">Seq of its last edit, or 0.</param>
internal readonly record struct WebhookRow(
    long Position, long Seq, WebhookKind Kind, DateTime At, string? Detail, ConversationEvent? Event, bool Deleted, long Edited);

/// <summary>
/// What is sent in one call. The body is made from the rows as they are now, the same for each attempt unless a message was edited, deleted or
/// erased meanwhile: what was deleted is not sent. Not thread-safe.
/// </summary>
internal sealed class WebhookBatch(Lane lane, string place, Guid id, int attempts, DateTimeOffset queuedAt)
{
    /// <summary>Most events in a call.</summary>
    public const int MostEvents = 100;

    /// <summary>UTF-16 code units of content in a call, about: one event may bring more.</summary>
    private const int MostCharacters = 256 * 1_024;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly List<WebhookRow> _rows = [];
    private long _characters;

    public Lane Lane => lane;

    /// <summary>The lane that its events came from: a conversation's key, or presence.</summary>
    public string Place => place;

    public Guid Id => id;

    /// <summary>What the receiver knows it by.</summary>
    public string MessageId => $"msg_{id:N}";

    /// <summary>Made before this one.</summary>
    public int Attempts => attempts;

    /// <summary>When its oldest row was written.</summary>
    public DateTimeOffset QueuedAt => queuedAt;

    public IReadOnlyList<WebhookRow> Rows => _rows;

    /// <summary>Its lane has, or may have, rows that it did not take.</summary>
    public bool LeavesMore { get; set; }

    /// <summary>It takes no more; what follows goes with the next one.</summary>
    public bool IsFull => _rows.Count >= MostEvents || _characters >= MostCharacters;

    /// <summary>Where an event must stand that follows the last one without a gap; 0: it has no event yet.</summary>
    public long NextSeq => _rows.Count == 0 ? 0 : _rows.FindLast(row => row.Seq > 0 && row.Kind != WebhookKind.MessageUnseen).Seq is > 0 and var seq ? seq + 1 : 0;

    /// <summary>There is something to send.</summary>
    public bool HasEvents => _rows.Exists(IsTold);

    public int Events => _rows.Count(IsTold);

    public void Add(WebhookRow row)
    {
        _rows.Add(row);
        _characters += row.Event?.Content?.Length ?? 0;
    }

    public byte[] ToBody()
    {
        var buffer = new ArrayBufferWriter<byte>(512 + (int)_characters);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteStartArray("events"u8);
            foreach (var row in _rows.Where(IsTold))
            {
                json.WriteStartObject();
                json.WriteString("type"u8, WebhookKinds.NameOf(row.Kind));
                json.WriteString("timestamp"u8, Timestamps.ToText(new DateTimeOffset(row.At, TimeSpan.Zero)));
                json.WritePropertyName("data"u8);
                WriteData(json, row);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static bool IsTold(WebhookRow row) => row.Seq <= 0 || row.Event is not null;

    private void WriteData(Utf8JsonWriter json, WebhookRow row)
    {
        if (row.Kind != WebhookKind.MessageUnseen && row.Event is not null)
        {
            WriteEvent(json, row);
            return;
        }

        json.WriteStartObject();
        if (row.Seq <= 0 && ConversationKey.TryParse(place, out var conversation) && conversation.IsRoom)
        {
            json.WriteString("room"u8, conversation.RoomId);
        }

        if (row.Detail is not null)
        {
            using var detail = JsonDocument.Parse(row.Detail);
            foreach (var property in detail.RootElement.EnumerateObject())
            {
                property.WriteTo(json);
            }
        }

        if (row.Event is not null)
        {
            json.WritePropertyName("message"u8);
            WriteEvent(json, row);
        }

        json.WriteEndObject();
    }

    private static void WriteEvent(Utf8JsonWriter json, WebhookRow row) =>
        EventFrames.Write(json, row.Event!, withNonce: false, new MessageState(row.Deleted, row.Deleted ? 0 : row.Edited, []));
}
