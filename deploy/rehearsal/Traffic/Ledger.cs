using System.Text.Json;
using System.Text.Json.Serialization;

namespace AspireChat.Traffic;

/// <summary>What the server has promised: each durable message by room and seq. Kept in a file from one run to the next.</summary>
internal sealed class Ledger
{
    public Dictionary<string, RoomLedger> Rooms { get; init; } = new(StringComparer.Ordinal);

    public int Count => Rooms.Values.Sum(room => room.Contents.Count);

    public static Ledger Load(string file) =>
        JsonSerializer.Deserialize(File.ReadAllText(file), LedgerJson.Default.Ledger) ?? throw new InvalidDataException(file);

    public void Save(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this, LedgerJson.Default.Ledger));
}

internal sealed class RoomLedger
{
    public string Epoch { get; set; } = "";

    /// <summary>Seq to content.</summary>
    public SortedDictionary<long, string> Contents { get; init; } = [];
}

[JsonSerializable(typeof(Ledger))]
internal sealed partial class LedgerJson : JsonSerializerContext;
