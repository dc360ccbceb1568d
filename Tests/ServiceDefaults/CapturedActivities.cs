using System.Collections.Concurrent;
using System.Diagnostics;

namespace AspireChat.Tests.ServiceDefaults;

/// <summary>Keeps all activities of the process until it is disposed, as text with every tag, event and baggage item.</summary>
internal sealed class CapturedActivities : IDisposable
{
    private readonly ActivityListener _listener;

    public CapturedActivities()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => Stopped.Enqueue(
                $"{activity.Source.Name} {activity.DisplayName} {string.Join(' ', activity.TagObjects)} " +
                $"{string.Join(' ', activity.Events.SelectMany(each => each.Tags))} {string.Join(' ', activity.Baggage)}"),
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public ConcurrentQueue<string> Stopped { get; } = new();

    public void Dispose() => _listener.Dispose();
}
