namespace AspireChat.Chaos.Hostile;

/// <summary>
/// What one user may try in order to hurt the others. An attack uses all that the user may have: connections on both nodes, calls, and friends
/// who fill rooms beforehand.
/// </summary>
/// <param name="name">For <c>--only</c> and the table.</param>
/// <param name="what">One line: what the user does.</param>
/// <param name="budget">The setting or mechanism that should make the user pay for it.</param>
internal abstract class Attack(string name, string what, string budget)
{
    public string Name { get; } = name;

    public string What { get; } = what;

    public string Budget { get; } = budget;

    /// <summary>Makes what the attack needs, such as a room full of messages. Not measured.</summary>
    public virtual Task PrepareAsync(Attacker attacker, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Attacks until <paramref name="stop"/>; that it then throws for the cancellation is no error.</summary>
    public abstract Task RunAsync(Attacker attacker, CancellationToken stop);
}
