using System.Diagnostics.CodeAnalysis;
using AspireChat.Chaos.Hostile;

/// <summary>
/// What .NET runs in a service before the service's own code, when <c>DOTNET_STARTUP_HOOKS</c> names this assembly. The runtime looks for this name,
/// without a namespace.
/// </summary>
[SuppressMessage("Design", "CA1050", Justification = "The runtime looks for it there.")]
internal static class StartupHook
{
    public static void Initialize() => MemoryLimits.PutThisProcess();
}
