using AspireChat.Chaos.Ledgers;
using AspireChat.Chaos.Stack;
using AspireChat.Chaos.Traffic;

namespace AspireChat.Chaos;

/// <summary>What a scenario injects its faults into, while the traffic runs.</summary>
/// <param name="Views">All readers' views. The scenario does not change them.</param>
internal sealed record Scene(
    ChatStack Stack, Canary Canary, Ledger Ledger, ChaosOptions Options, IReadOnlyList<MemberView> Views, Action<string> Say);

/// <summary>One kind of trouble, and what the system must do in it beyond what the ledger always demands.</summary>
internal abstract class Scenario
{
    private readonly Dictionary<string, int> _done = [];
    private readonly List<string> _facts = [];
    private volatile string _current = "";

    /// <summary>The fault that is in effect; empty between faults.</summary>
    public string Current
    {
        get => _current;
        protected set => _current = value;
    }

    public int Done => _done.Values.Sum();

    public IReadOnlyDictionary<string, int> ByName => _done;

    /// <summary>Measurements for the report.</summary>
    public IReadOnlyList<string> Facts => _facts;

    /// <summary>Returns when the scenario is done. It is cancelled when it takes too long.</summary>
    public abstract Task RunAsync(Scene scene, CancellationToken stop);

    /// <summary>Checks the database when the system is quiet again.</summary>
    public virtual void Check(LedgerCheck check)
    {
    }

    protected void Count(string fault) => _done[fault] = _done.GetValueOrDefault(fault) + 1;

    protected void Note(string fact) => _facts.Add(fact);

    protected static async Task UntilAsync(Func<bool> condition, CancellationToken stop)
    {
        while (!condition())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, stop);
        }
    }
}
