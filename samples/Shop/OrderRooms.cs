using System.Text.Json;
using AspireChat.Client;

namespace AspireChat.Shop;

/// <summary>A private room for each order, which the shop opens and writes to by the server API. Every call may be repeated.</summary>
internal sealed class OrderRooms(ChatServerClient chat)
{
    /// <summary>Who speaks for the shop. Its id is the shop's to choose, as those of its users are.</summary>
    public const string Bot = "shop-bot";

    private const string Prefix = "order-";

    /// <summary>The order of a room; null: it is another room.</summary>
    public static string? OrderOf(string room) => room.StartsWith(Prefix, StringComparison.Ordinal) ? room[Prefix.Length..] : null;

    /// <summary>Opens the room with its members and the order's summary. Returns its id. Opening it again changes nothing.</summary>
    public async Task<string> OpenAsync(Order order, CancellationToken cancellationToken)
    {
        var room = Prefix + order.Id;
        await chat.Users.SetProfileAsync(Bot, "Shop assistant", cancellationToken: cancellationToken);
        await chat.Rooms.PutAsync(room, new RoomSettings
        {
            Name = $"{order.Item}, order {order.Id}",
            Visibility = RoomVisibility.Private,
            Meta = JsonSerializer.Serialize(new { order = order.Id }),
        }, cancellationToken);
        await chat.Rooms.AddMembersAsync(room, [order.Customer, ShopUser.Clerk.Id], cancellationToken: cancellationToken);
        await SayAsync(
            order, $"Thank you for your order {order.Id}: {order.Item}. Ask for its “status” at any time; Clara reads here too.", "summary",
            cancellationToken);
        return room;
    }

    /// <summary>Says something in the order's room.</summary>
    /// <param name="nonce">Unique for the room: the same again within 24 h is no second message.</param>
    public Task SayAsync(Order order, string text, string nonce, CancellationToken cancellationToken, long? replyTo = null) =>
        chat.SendToRoomAsync(
            Prefix + order.Id, text, new ChatServerMessageOptions { From = Bot, Nonce = nonce, ReplyTo = replyTo }, cancellationToken);
}
