using System.Reflection;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Architecture;

/// <summary>Alerts are written against the ids of log events, so each names one event.</summary>
public sealed class LogEventTests
{
    [Theory]
    [InlineData("Gateway")]
    [InlineData("ConnectionService")]
    [InlineData("PresenceService")]
    [InlineData("PersistenceService")]
    [InlineData("Client")]
    [InlineData("ServiceDefaults")]
    public void No_two_log_events_of_a_service_have_one_id(string project)
    {
        const BindingFlags all = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var events = Assembly.Load($"AspireChat.{project}").GetTypes()
            .SelectMany(type => type.GetMethods(all))
            .Select(method => (Method: $"{method.DeclaringType!.Name}.{method.Name}", Event: method.GetCustomAttribute<LoggerMessageAttribute>()?.EventId))
            .Where(each => each.Event is not null)
            .ToList();

        Assert.NotEmpty(events);
        Assert.Empty(events.GroupBy(each => each.Event).Where(same => same.Count() > 1).Select(same => string.Join(", ", same.Select(each => each.Method))));
    }
}
