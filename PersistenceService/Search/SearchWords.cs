using System.Globalization;
using System.Text;

namespace AspireChat.PersistenceService.Search;

/// <summary>
/// The words of a text, for the index and for queries alike. A word is a run of letters, digits and marks, in lower case; of Chinese and
/// Japanese, which put no spaces between words, each character is one. PostgreSQL's parser would depend on the database's locale: under "C" it
/// leaves letters beyond ASCII in upper case and takes a “ for a letter. Thread-safe: pure functions.
/// </summary>
internal static class SearchWords
{
    /// <summary>Different words of one text that are indexed; the first of them.</summary>
    public const int Most = 1_000;

    /// <summary>A longer word is cut, in a query too.</summary>
    private const int Longest = 64;

    public static HashSet<string> Of(string text)
    {
        var words = new HashSet<string>(StringComparer.Ordinal);
        var word = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            var kind = KindOf(rune);
            if (kind != RuneKind.Letter)
            {
                End();
            }

            if (kind == RuneKind.Break)
            {
                continue;
            }

            if (word.Length < Longest)
            {
                word.Append(Rune.ToLowerInvariant(rune).ToString());
            }

            if (kind == RuneKind.Word)
            {
                End();
            }
        }
        End();
        return words;

        void End()
        {
            if (word.Length > 0 && words.Count < Most)
            {
                words.Add(word.ToString());
            }

            word.Clear();
        }
    }

    private static RuneKind KindOf(Rune rune)
    {
        if (rune.IsAscii)
        {
            return char.IsAsciiLetterOrDigit((char)rune.Value) ? RuneKind.Letter : RuneKind.Break;
        }

        // Kana, the two blocks of ideographs that most texts use, and those beyond the basic plane.
        if (rune.Value is (>= 0x3041 and <= 0x30FA) or (>= 0x3400 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x3FFFF))
        {
            return RuneKind.Word;
        }

        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.DecimalDigitNumber
                or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber or UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark => RuneKind.Letter,
            _ => RuneKind.Break,
        };
    }

    private enum RuneKind
    {
        Break,
        Letter,

        /// <summary>A word of its own.</summary>
        Word,
    }
}
