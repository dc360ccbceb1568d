using System.Text;
using System.Text.Json;
using AspireChat.Contracts.Conversations;

namespace AspireChat.Tests.Hubs.Simulation;

/// <summary>Compares what one user's connections see with what the protocol promises and with the log itself.</summary>
internal sealed class PromiseCheck(string user, SimulatedLog log)
{
    public string User { get; } = user;

    public SimulatedLog Log => log;

    /// <summary>The present connection, which is named in a finding.</summary>
    public string Connection { get; set; } = user;

    /// <exception cref="BrokenPromiseException">The promise is broken.</exception>
    public void That(bool promise, string fault, byte[]? text)
    {
        if (!promise)
        {
            throw new BrokenPromiseException($"{Connection}: {fault}. {(text is null ? "" : Encoding.UTF8.GetString(text))}");
        }
    }

    public void Identity(ConversationKey key, string epoch, long seq, JsonElement frame, byte[] text) =>
        That(log.IdOf(key, epoch, seq) == frame.GetProperty("id").GetGuid(), $"not the event that the log has at {epoch}/{seq}", text);

    public static (long Seq, long Head, bool Complete, string Epoch) Resumed(JsonElement frame) => (
        frame.GetProperty("seq").GetInt64(), frame.GetProperty("head").GetInt64(), frame.GetProperty("complete").GetBoolean(),
        frame.GetProperty("epoch").GetString()!);
}

/// <summary>A connection saw something that the protocol rules out.</summary>
internal sealed class BrokenPromiseException(string message) : Exception(message);
