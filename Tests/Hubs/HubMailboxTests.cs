using System.Diagnostics.Metrics;
using System.Text;
using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.ConnectionService.Subscriptions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace AspireChat.Tests.Hubs;

public sealed class HubMailboxTests
{
    private static readonly ChatChannel Lobby = ChatChannel.Room("lobby");

    private readonly HubMailbox _mailbox = new(
        1_000, new HubMetrics(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>()),
        NullLogger.Instance);

    [Fact]
    public void When_full_events_are_dropped_and_their_room_is_read_from_the_log_once()
    {
        for (var i = 0; i < 50; i++)
        {
            _mailbox.Received(Lobby, Payload("E e 1 {}"));
        }

        _mailbox.Received(ChatChannel.Room("dev"), Payload("E e 1 {}"));
        var messages = TakeAll();
        Assert.InRange(messages.OfType<HubMessage.Payload>().Count(), 5, 10);
        Assert.Equal([Lobby, ChatChannel.Room("dev")], messages.OfType<HubMessage.Overflowed>().Select(message => message.Channel));
        Assert.Equal(0, _mailbox.Bytes);

        // After it was handled, a new overflow is told anew.
        for (var i = 0; i < 50; i++)
        {
            _mailbox.Received(Lobby, Payload("E e 1 {}"));
        }

        Assert.Single(TakeAll().OfType<HubMessage.Overflowed>());
    }

    [Fact]
    public void Kicks_and_leaves_are_never_dropped()
    {
        for (var i = 0; i < 50; i++)
        {
            _mailbox.Received(Lobby, Payload("F * {}"));
        }

        _mailbox.Received(ChatChannel.User("alice"), Payload("K"));
        _mailbox.Received(ChatChannel.User("alice"), Payload("L lobby"));
        var messages = TakeAll();
        Assert.Empty(messages.OfType<HubMessage.Overflowed>());
        Assert.Equal(2, messages.OfType<HubMessage.Payload>().Count(payload => payload.Channel == ChatChannel.User("alice")));
    }

    [Fact]
    public void What_hubs_cannot_do_without_is_taken_even_when_full()
    {
        for (var i = 0; i < 50; i++)
        {
            _mailbox.Received(Lobby, Payload("E e 1 {}"));
        }

        _mailbox.Post(new HubMessage.Restored());
        Assert.Single(TakeAll().OfType<HubMessage.Restored>());
    }

    private static byte[] Payload(string text) => Encoding.ASCII.GetBytes(text);

    private List<HubMessage> TakeAll()
    {
        var messages = new List<HubMessage>();
        while (_mailbox.TryTake(out var message))
        {
            messages.Add(message!);
        }

        return messages;
    }
}
