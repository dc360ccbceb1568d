using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace AspireChat.Contracts.Frames;

/// <summary>Encodes <see cref="ServerFrame"/>s as UTF-8 JSON. Thread-safe.</summary>
public static class ServerFrameCodec
{
    private static readonly ServerFrameContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>Writes the frame to a writer that escapes only what JSON demands.</summary>
    public static void Write(Utf8JsonWriter json, ServerFrame frame) => JsonSerializer.Serialize(json, frame, Context.GetTypeInfo(frame.GetType())!);

    public static byte[] Encode(ServerFrame frame) => JsonSerializer.SerializeToUtf8Bytes(frame, Context.GetTypeInfo(frame.GetType())!);
}

[JsonSerializable(typeof(WelcomeFrame))]
[JsonSerializable(typeof(AckFrame))]
[JsonSerializable(typeof(DurableFrame))]
[JsonSerializable(typeof(JoinedFrame))]
[JsonSerializable(typeof(ResumedFrame))]
[JsonSerializable(typeof(LeftFrame))]
[JsonSerializable(typeof(MemberFrame))]
[JsonSerializable(typeof(OnlineFrame))]
[JsonSerializable(typeof(OfflineFrame))]
[JsonSerializable(typeof(PresenceFrame))]
[JsonSerializable(typeof(ProfileFrame))]
[JsonSerializable(typeof(TypingFrame))]
[JsonSerializable(typeof(ReadFrame))]
[JsonSerializable(typeof(SignalFrame))]
[JsonSerializable(typeof(ErrorFrame))]
[JsonSerializable(typeof(ReconnectFrame))]
[JsonSerializable(typeof(PongFrame))]
[JsonSerializable(typeof(AuthenticatedFrame))]
internal sealed partial class ServerFrameContext : JsonSerializerContext;
