using System.Diagnostics;

namespace AspireChat.Tests.ServiceDefaults;

/// <summary>Waits for a condition that another thread or process brings about.</summary>
internal static class Eventually
{
    public static Task IsTrueAsync(Func<bool> condition, string promise) => IsTrueAsync(() => Task.FromResult(condition()), promise);

    public static async Task IsTrueAsync(Func<Task<bool>> condition, string promise)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(60), $"Not within 60 s: {promise}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, CancellationToken.None);
        }
    }
}
