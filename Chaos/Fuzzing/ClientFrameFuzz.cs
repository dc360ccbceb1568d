using System.Buffers;
using System.Text;
using System.Text.Json;
using AspireChat.Contracts;
using AspireChat.Contracts.Frames;

namespace AspireChat.Chaos.Fuzzing;

/// <summary>
/// The reader of a client's JSON. It throws nothing; a refusal has a code of the protocol and can be sent as a frame; a frame that is accepted
/// keeps to the limits, and written anew it reads the same; and a frame costs little more than its length.
/// </summary>
internal sealed class ClientFrameFuzz : FuzzTarget
{
    private const int AllocatedPerByte = 32;
    private const int AllocatedAnyway = 16 * 1024;

    /// <summary>Of an answer: what it repeats of the client's is a nonce and a reference of 64 characters, each at worst an escape of six bytes.</summary>
    private const int LongestAnswer = 2_000;

    private static readonly FrameLimits Limits = new() { Content = 100, Conversations = 3 };

    private static readonly string[] Codes = [ErrorCodes.BadRequest, ErrorCodes.UnknownType, ErrorCodes.TooLarge, ErrorCodes.Limit];

    public override string Name => "client frames";

    public override IReadOnlyList<byte[]> Corpus { get; } = [.. new[]
    {
        """{"type":"join","room":"lobby","since":17,"epoch":"e1","ref":"r-1"}""",
        """{"type":"leave","room":"lobby","ref":12.50}""",
        """{"type":"room","room":"lobby","content":"hello €😀","nonce":"n1"}""",
        """{"type":"dm","to":"bob","content":"\u0061\n\ud83d\ude00","nonce":"n1"}""",
        """{"type":"edit","room":"lobby","target":4,"content":"better","nonce":"n2"}""",
        """{"type":"delete","to":"bob","target":4,"nonce":"n3"}""",
        """{"type":"react","room":"lobby","target":4,"emoji":"👍","remove":true,"nonce":"n4"}""",
        """{"type":"typing","to":"bob","active":false}""",
        """{"type":"read","room":"lobby","seq":9007199254740992}""",
        """{"type":"resume","ref":"\u00e4","conversations":[{"room":"a","since":1},{"to":"b","since":2,"epoch":"x"},{"room":"c","since":0}]}""",
        """{"type":"auth","token":"a.b.c","ref":null}""",
        """{"type":"ping","ref":-1e300,"unknown":{"deep":[[[{}]]]}}""",
        """{"type":"nobody knows this type and it is longer than thirty-two characters 😀"}""",
    }.Select(Encoding.UTF8.GetBytes)];

    public override IReadOnlyList<byte[]> Words { get; } = [.. new[]
    {
        "\"type\":", "\"room\":", "\"to\":", "\"content\":", "\"nonce\":", "\"ref\":", "\"since\":", "\"epoch\":", "\"seq\":", "\"target\":", "\"emoji\":",
        "\"remove\":", "\"active\":", "\"token\":", "\"conversations\":[", "{", "}", "[", "]", ",", ":", "\"", "null", "true", "false", "-0", "1e5", "0.0",
        "9223372036854775807", "99999999999999999999", "\\u0000", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\", "\\\"", "\uFEFF", "€", "😀", "//", "/*",
        "\"ping\"", "\"join\"", "\"resume\"", "..", "\\u002e",
    }.Select(Encoding.UTF8.GetBytes), [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]];

    public override Task TryAsync(byte[] input, Random random, CancellationToken cancellationToken)
    {
        var (isRead, frame, error, allocated) = Read(input);
        if (allocated > AllowedFor(input))
        {
            // The runtime may have compiled in between.
            (_, _, _, allocated) = Read(input);
        }

        // A text message is checked for UTF-8 before it is read, so the rest is only promised for such texts.
        if (!System.Text.Unicode.Utf8.IsValid(input))
        {
            return Task.CompletedTask;
        }

        Must(allocated <= AllowedFor(input), $"{allocated} bytes were allocated for {input.Length}");
        if (isRead)
        {
            CheckFrame(in frame);
        }
        else
        {
            Must(Codes.Contains(error!.Code), $"the code {error.Code} is not one for a bad frame");
            CheckAnswer(ErrorFrame.Of(error));
        }
        return Task.CompletedTask;
    }

    private static (bool IsRead, ClientFrame Frame, FrameError? Error, long Allocated) Read(byte[] input)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var isRead = ClientFrameReader.TryRead(input, Limits, out var frame, out var error);
        return (isRead, frame, error, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static long AllowedFor(byte[] input) => AllocatedAnyway + ((long)AllocatedPerByte * input.Length);

    private static void CheckFrame(in ClientFrame frame)
    {
        Must(frame.Room is null || RoomIds.IsValid(frame.Room), "the room is no identifier");
        Must(frame.To is null || UserIds.IsSender(frame.To), "the user is no identifier");
        Must(frame.Content is null || frame.Content.Length <= Limits.Content, "the content is too long");
        Must(frame.Nonce is null || frame.Nonce.Length is > 0 and <= 64, "the nonce is too long or empty");
        Must(frame.Emoji is null || frame.Emoji.Length is > 0 and <= 64, "the emoji is too long or empty");
        Must(frame.Conversations.Count <= Limits.Conversations, "there are too many conversations");
        foreach (var text in new[] { frame.Content, frame.Nonce, frame.Emoji, frame.Epoch, frame.Token })
        {
            Must(text is null || !text.Contains('\0'), "a text has NUL");
            Must(text is null || IsWhole(text), "a text has half a character");
        }
        CheckAnswer(new PongFrame(RawJson.Of(frame.Ref)));

        var written = Write(in frame);
        Must(ClientFrameReader.TryRead(written, Limits, out var again, out var error), $"written anew it is refused: {error?.Message}");
        Must(
            (again with { Conversations = frame.Conversations }).Equals(frame) && again.Conversations.SequenceEqual(frame.Conversations),
            "written anew it reads differently");
    }

    /// <summary>The frame can be sent, and is JSON.</summary>
    private static void CheckAnswer(ServerFrame answer)
    {
        var bytes = ServerFrameCodec.Encode(answer);
        Must(bytes.Length <= LongestAnswer, $"the answer has {bytes.Length} bytes");
        using var json = JsonDocument.Parse(bytes);
        Must(json.RootElement.TryGetProperty("type", out _), "the answer has no type");
    }

    private static bool IsWhole(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i])))
            {
                return false;
            }
        }
        return true;
    }

    private static ReadOnlySpan<byte> Write(in ClientFrame frame)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", frame.Type.ToString().ToLowerInvariant());
            json.WriteString("room", frame.Room);
            json.WriteString("to", frame.To);
            json.WriteString("content", frame.Content);
            json.WriteString("nonce", frame.Nonce);
            json.WriteString("epoch", frame.Epoch);
            json.WriteString("emoji", frame.Emoji);
            json.WriteString("token", frame.Token);
            json.WriteBoolean("remove", frame.Remove);
            json.WriteBoolean("active", frame.Active);
            WriteNumber(json, "since", frame.Since);
            WriteNumber(json, "seq", frame.Seq);
            WriteNumber(json, "target", frame.Target);
            if (frame.Ref is { } reference)
            {
                json.WritePropertyName("ref");
                json.WriteRawValue(reference);
            }
            WritePoints(json, in frame);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan;
    }

    private static void WritePoints(Utf8JsonWriter json, in ClientFrame frame)
    {
        // Only `resume` tells an absent list from an empty one.
        if (frame.Type != ClientFrameType.Resume && frame.Conversations.Count == 0)
        {
            return;
        }

        json.WriteStartArray("conversations");
        foreach (var point in frame.Conversations)
        {
            json.WriteStartObject();
            json.WriteString("room", point.Room);
            json.WriteString("to", point.To);
            json.WriteNumber("since", point.Since);
            json.WriteString("epoch", point.Epoch);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }
}
