using System.Collections.Concurrent;
using System.Security.Cryptography;
using AspireChat.Client;

namespace AspireChat.Shop;

/// <summary>An order.</summary>
/// <param name="Id">Random: the id of the order's room follows from it, and a room outlives this sample's memory.</param>
internal sealed record Order(string Id, string Customer, string Item, string Status);

/// <summary>The orders, in memory. Thread-safe.</summary>
internal sealed class Orders
{
    private readonly ConcurrentDictionary<string, Order> _orders = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _placed = new();

    public static readonly IReadOnlyList<string> Items = ["Teapot", "Reading lamp", "Wool blanket"];

    public IEnumerable<Order> SeenBy(ShopUser user) =>
        _placed.Select(id => _orders[id]).Where(order => user.IsClerk || order.Customer == user.Id);

    public Order? Find(string id) => _orders.GetValueOrDefault(id);

    public Order Place(ShopUser customer, string item)
    {
        var order = new Order(RandomNumberGenerator.GetHexString(10, lowercase: true), customer.Id, item, "being packed");
        _orders[order.Id] = order;
        _placed.Enqueue(order.Id);
        return order;
    }

    public Order Ship(Order order) => _orders[order.Id] = order with { Status = "on its way" };
}

internal static class OrderEndpoints
{
    public static void MapOrders(this WebApplication app)
    {
        app.MapGet("/items", () => Orders.Items);
        var orders = app.MapGroup("/orders").RequireAuthorization();
        orders.MapGet("", (HttpContext context, Orders all) => all.SeenBy(context.CurrentUser()));
        orders.MapPost("", async (OrderRequest request, HttpContext context, Orders all, OrderRooms rooms, ILogger<Orders> logger) =>
        {
            if (!Orders.Items.Contains(request.Item))
            {
                return Results.NotFound();
            }

            var order = all.Place(context.CurrentUser(), request.Item);
            try
            {
                await rooms.OpenAsync(order, context.RequestAborted);
            }
            catch (ChatException fault)
            {
                // The order stands without its chat, which is opened when somebody asks for it.
                logger.LogWarning(fault, "The chat of order {Order} is not open yet.", order.Id);
            }

            return Results.Ok(order);
        });
        orders.MapPost("/{id}/chat", async (string id, HttpContext context, Orders all, OrderRooms rooms) =>
            Seen(all, id, context.CurrentUser()) is { } order
                ? Results.Ok(new { room = await rooms.OpenAsync(order, context.RequestAborted) })
                : Results.NotFound());
        orders.MapPost("/{id}/ship", async (string id, HttpContext context, Orders all, OrderRooms rooms) =>
        {
            if (!context.CurrentUser().IsClerk || all.Find(id) is not { } order)
            {
                return Results.NotFound();
            }

            order = all.Ship(order);
            await rooms.OpenAsync(order, context.RequestAborted);
            await rooms.SayAsync(order, $"Your {order.Item.ToLowerInvariant()} is {order.Status}.", "shipped", context.RequestAborted);
            return Results.Ok(order);
        });
    }

    private static Order? Seen(Orders all, string id, ShopUser user) =>
        all.Find(id) is { } order && (user.IsClerk || order.Customer == user.Id) ? order : null;

    private sealed record OrderRequest(string Item);
}
