using System.Text.Encodings.Web;
using System.Text.Json;

namespace AspireChat.PersistenceService.History;

/// <summary>
/// A JSON answer that goes out while it is written, in pieces of bounded size: the client's reading is what sets the pace, and no answer
/// stands in memory as a whole. Not thread-safe.
/// </summary>
internal sealed class JsonAnswer : IAsyncDisposable
{
    /// <summary>Bytes that are written before they are sent. One item may add more.</summary>
    private const int Piece = 16 * 1_024;

    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private readonly HttpContext _context;
    private long _sent;

    public JsonAnswer(HttpContext context)
    {
        _context = context;
        context.Response.ContentType = "application/json; charset=utf-8";
        Json = new Utf8JsonWriter(context.Response.BodyWriter, Options);
    }

    public Utf8JsonWriter Json { get; }

    /// <summary>Between two items: sends what has come together, and waits while the client has enough to read.</summary>
    public async ValueTask SendAsync()
    {
        if (Json.BytesCommitted + Json.BytesPending - _sent >= Piece)
        {
            await FlushAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await FlushAsync();
        await Json.DisposeAsync();
    }

    private async ValueTask FlushAsync()
    {
        await Json.FlushAsync(_context.RequestAborted);
        _sent = Json.BytesCommitted;
        await _context.Response.BodyWriter.FlushAsync(_context.RequestAborted);
    }
}
