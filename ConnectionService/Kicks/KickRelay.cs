using AspireChat.ConnectionService.Hubs.Mailboxes;
using AspireChat.RedisLog;

namespace AspireChat.ConnectionService.Kicks;

/// <summary>
/// Passes the operators' orders on to the hubs of the users concerned. Pub/sub brings most of them earlier; a replica whose subscription is
/// away learns of them here, within a second.
/// </summary>
internal sealed class KickRelay(UserOrders orders, HubDirectory hubs, Removals removals) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        orders.Given += Relay;
        orders.Removed += Relay;
        orders.Finished += Finish;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        orders.Given -= Relay;
        orders.Removed -= Relay;
        orders.Finished -= Finish;
        return Task.CompletedTask;
    }

    private void Relay(RoomRemoval removal) => hubs.OfRoom(removal.Room).Post(
        new HubMessage.MembershipEnded(removal.Room, removal.User, removal.At, removal.Reason.Length == 0 ? null : removal.Reason));

    private void Finish(long moment)
    {
        if (removals.Read(moment) is { } round)
        {
            hubs.PostToAll(new HubMessage.RemovalsRead(round));
        }
    }

    private void Relay(UserOrder order) => hubs.OfUser(order.User).Post(
        order.Until is { } until ? new HubMessage.Revoked(order.User, until) : new HubMessage.Kicked(order.User, order.At));
}

internal static class KickRegistration
{
    public static IServiceCollection AddKicks(this IServiceCollection services)
    {
        services.AddSingleton<KickLog>();
        // Before the orders are read: none is missed.
        services.AddHostedService<KickRelay>();
        services.AddUserOrders();
        return services;
    }
}
