using System.Globalization;
using System.Text;
using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Webhooks;

namespace AspireChat.Chaos;

/// <summary>The ledger of a finished run as text.</summary>
internal sealed record RunReport(
    ChaosOptions Options,
    Ledger Ledger,
    Scenario Scenario,
    bool Finished,
    LedgerCheck Check,
    TimeSpan Traffic,
    TimeSpan Storm,
    FaultyReceiver? Receiver = null)
{
    /// <summary>Nothing was found, and all faults and events were tried.</summary>
    public bool Passed => !Ledger.Findings.Any && Finished;

    private string Verdict => Passed ? "PASS" : Ledger.Findings.Any ? "FAIL" : "INCOMPLETE (no findings, but the time was up)";

    public override string ToString()
    {
        var (text, culture, found) = (new StringBuilder(), CultureInfo.InvariantCulture, Ledger.Findings);
        text.AppendLine().AppendLine(culture, $"── ledger of seed {Options.Seed} ──");
        var rate = Ledger.Count / Math.Max(1, Traffic.TotalSeconds);
        text.Append(culture, $"traffic        {Traffic.TotalSeconds:0} s, {Options.Clients} clients with the library, 2 on the raw wire, ");
        text.AppendLine(culture, $"{Options.Rooms} rooms, {rate:0} events/s");
        text.AppendLine(culture, $"acknowledged   {Ledger.Count}; in the database once, with id and content: {Check.Found}");
        text.Append(culture, $"wiped          {Check.SentAgain + Check.Forgiven} acknowledged events that were not durable yet; ");
        text.Append("their senders were told; ");
        text.Append(culture, $"sent again with their nonce, and now in the database: {Check.SentAgain} messages; ");
        text.AppendLine(culture, $"not repeated, because they refer to a seq of the old log: {Check.Forgiven} edits, deletions, reactions");
        text.Append(culture, $"delivered      {Ledger.Delivered} to {Ledger.Views.Count} views; ");
        text.AppendLine(culture, $"repairs after a reload or gap that the server told: {Ledger.Views.Sum(view => view.Told)}");
        text.AppendLine(culture, $"lost           {found[Breach.Lost]}");
        text.AppendLine(culture, $"duplicated     {found[Breach.Duplicated]}");
        text.AppendLine(culture, $"inverted       {found[Breach.Inverted]}");
        text.AppendLine(culture, $"silent gaps    {found[Breach.SilentGap]}");
        var others = Enum.GetValues<Breach>().Where(breach => breach > Breach.SilentGap).Select(breach => $"{breach} {found[breach]}");
        text.AppendLine(culture, $"anything else  {string.Join(", ", others)}");
        text.AppendLine(culture, $"faults         {Scenario.Done}");
        foreach (var (name, count) in Scenario.ByName.OrderByDescending(fault => fault.Value))
        {
            text.AppendLine(culture, $"  {count,4}  {name}");
        }

        foreach (var fact in Scenario.Facts)
        {
            text.AppendLine(culture, $"  · {fact}");
        }

        text.AppendLine("times");
        foreach (var name in Ledger.Durations.Names)
        {
            text.AppendLine(culture, $"  {name,-52} {Ledger.Durations.Line(name)}");
        }

        if (Receiver is { Calls: var calls, Turns: var turns })
        {
            text.Append(culture, $"webhook        {calls.EventsTaken} events in {calls.Count} calls, {calls.Repeats} of them repeats; ");
            text.AppendLine(culture, $"faults of the receiver: {turns.Values.Sum()} ({string.Join(", ", turns.Select(turn => $"{turn.Key} {turn.Value}"))})");
        }

        if (Options.Storm > 0)
        {
            text.AppendLine(culture, $"storm          {Options.Storm} at once in one room, all resumed after {Storm.TotalSeconds:0.00} s");
        }

        text.AppendLine(culture, $"findings       {found}");
        foreach (var finding in found.Texts)
        {
            text.AppendLine(culture, $"  ! {finding}");
        }

        text.Append(culture, $"{Verdict}   replay: {Options.Replay}");
        return text.ToString();
    }
}
