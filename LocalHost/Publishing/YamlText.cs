using System.Globalization;
using System.Text;

namespace AspireChat.LocalHost.Publishing;

/// <summary>A mapping that keeps its order. What is null or an empty list is left out.</summary>
internal sealed class YamlMap : List<KeyValuePair<string, object>>
{
    public YamlMap Add(string key, object? value)
    {
        if (value is not null and not System.Collections.ICollection { Count: 0 } or YamlMap)
            Add(new KeyValuePair<string, object>(key, value));
        return this;
    }
}

/// <summary>Text that is written as it is, without quotes: a template's placeholder for a number.</summary>
internal sealed record PlainText(string Text);

/// <summary>
/// Writes the few shapes that publishing needs, as Aspire's own publishers write them: keys plain, texts in double quotes, lists indented.
/// </summary>
internal static class YamlText
{
    public static string Of(YamlMap document)
    {
        var text = new StringBuilder();
        WriteMap(text, document, 0);
        return text.ToString();
    }

    private static void WriteMap(StringBuilder text, YamlMap map, int depth, bool first = false)
    {
        foreach (var (key, value) in map)
        {
            if (!first) text.Append(' ', depth);
            first = false;
            text.Append(key).Append(':');
            WriteValue(text, value, depth);
        }
    }

    private static void WriteValue(StringBuilder text, object value, int depth)
    {
        switch (value)
        {
            case YamlMap { Count: 0 }:
                text.Append(" {}\n");
                break;
            case YamlMap map:
                text.Append('\n');
                WriteMap(text, map, depth + 2);
                break;
            case IEnumerable<YamlMap> maps:
                text.Append('\n');
                foreach (var map in maps)
                {
                    text.Append(' ', depth + 2).Append("- ");
                    WriteMap(text, map, depth + 4, first: true);
                }

                break;
            case IEnumerable<string> items:
                text.Append('\n');
                foreach (var item in items) text.Append(' ', depth + 2).Append("- ").Append(Scalar(item)).Append('\n');
                break;
            default:
                text.Append(' ').Append(Scalar(value)).Append('\n');
                break;
        }
    }

    private static string Scalar(object value) => value switch
    {
        PlainText plain => plain.Text,
        bool yes => yes ? "true" : "false",
        int number => number.ToString(CultureInfo.InvariantCulture),
        _ => $"\"{value.ToString()!.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"",
    };
}
