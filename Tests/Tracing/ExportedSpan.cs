using System.Buffers.Binary;
using System.Text;

namespace AspireChat.Tests.Tracing;

/// <summary>
/// An exported span (opentelemetry/proto/trace/v1/trace.proto). It is read by hand, because no package with these messages is needed
/// elsewhere.
/// </summary>
/// <param name="Parent">Empty when the span begins its trace.</param>
/// <param name="Links">The ids of the spans that it links to.</param>
/// <param name="Text">All bytes of the span, in which its tags can be found.</param>
internal sealed record ExportedSpan(
    string Source, string Trace, string Id, string Parent, string Name, int Kind, IReadOnlyList<string> Links, string Text)
{
    public const int Server = 2;

    /// <summary>The spans of one ExportTraceServiceRequest.</summary>
    public static List<ExportedSpan> ReadAll(byte[] request)
    {
        var spans = new List<ExportedSpan>();
        foreach (var resource in Fields(request).Where(field => field.Number == 1))
        {
            foreach (var scope in Fields(resource.Bytes).Where(field => field.Number == 2))
            {
                var source = "";
                foreach (var (number, bytes, _) in Fields(scope.Bytes))
                {
                    if (number == 1)
                    {
                        source = Encoding.UTF8.GetString(Fields(bytes).First(field => field.Number == 1).Bytes);
                    }
                    else if (number == 2)
                    {
                        spans.Add(Read(source, bytes));
                    }
                }
            }
        }
        return spans;
    }

    private static ExportedSpan Read(string source, byte[] bytes)
    {
        string trace = "", id = "", parent = "", name = "";
        var kind = 0;
        var links = new List<string>();
        foreach (var (number, value, varint) in Fields(bytes))
        {
            switch (number)
            {
                case 1:
                    trace = Convert.ToHexStringLower(value);
                    break;
                case 2:
                    id = Convert.ToHexStringLower(value);
                    break;
                case 4:
                    parent = Convert.ToHexStringLower(value);
                    break;
                case 5:
                    name = Encoding.UTF8.GetString(value);
                    break;
                case 6:
                    kind = (int)varint;
                    break;
                case 13:
                    links.Add(Convert.ToHexStringLower(Fields(value).First(field => field.Number == 2).Bytes));
                    break;
            }
        }
        return new ExportedSpan(source, trace, id, parent, name, kind, links, Encoding.UTF8.GetString(bytes));
    }

    /// <summary>The fields of a protobuf message: the bytes of fields with a length, and the values of varints.</summary>
    private static List<(int Number, byte[] Bytes, ulong Varint)> Fields(byte[] message)
    {
        var fields = new List<(int, byte[], ulong)>();
        for (var at = 0; at < message.Length;)
        {
            var key = Varint(message, ref at);
            var number = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    fields.Add((number, [], Varint(message, ref at)));
                    break;
                case 1:
                    fields.Add((number, [], BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at))));
                    at += sizeof(ulong);
                    break;
                case 2:
                    var length = (int)Varint(message, ref at);
                    fields.Add((number, message[at..(at + length)], 0));
                    at += length;
                    break;
                case 5:
                    fields.Add((number, [], BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at))));
                    at += sizeof(uint);
                    break;
                default:
                    throw new FormatException($"Wire type {key & 7} is none of protobuf's.");
            }
        }
        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var part = message[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }
}
