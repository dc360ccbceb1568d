using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.Options;

namespace AspireChat.Shop;

/// <summary>Somebody whom the shop knows. The id is also the chat's user id: it never changes and is never given to somebody else.</summary>
internal sealed record ShopUser(string Id, string Name, string Picture, bool IsClerk = false)
{
    /// <summary>Whoever serves the orders.</summary>
    public static readonly ShopUser Clerk = new("clerk-clara", "Clara from the shop", "https://shop.example.org/pictures/clara.png", IsClerk: true);

    public static readonly IReadOnlyList<ShopUser> All =
    [
        new("customer-ada", "Ada Lovelace", "https://shop.example.org/pictures/ada.png"),
        new("customer-ben", "Ben Okri", "https://shop.example.org/pictures/ben.png"),
        Clerk,
    ];
}

/// <summary>The shop's own sign-in, which the chat knows nothing of. A product has passwords or passkeys here; the sample has a choice.</summary>
internal static class SignIn
{
    public static void AddSignIn(this WebApplicationBuilder builder)
    {
        builder.Services.AddAuthorization();
        builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(cookie =>
        {
            // Strict, and calls that change something take JSON: a page of another site can then do nothing in a user's name.
            cookie.Cookie.SameSite = SameSiteMode.Strict;
            cookie.Cookie.Name = "shop";
            cookie.Events.OnRedirectToLogin = context =>
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return Task.CompletedTask;
            };
        });
    }

    public static void MapSignIn(this WebApplication app)
    {
        app.MapGet("/users", () => ShopUser.All.Select(user => new { user.Id, user.Name }));
        app.MapPost("/sign-in", async (SignInRequest request, HttpContext context) =>
        {
            if (ShopUser.All.FirstOrDefault(user => user.Id == request.User) is not { } user)
            {
                return Results.NotFound();
            }

            var identity = new ClaimsIdentity([new(ClaimTypes.NameIdentifier, user.Id)], CookieAuthenticationDefaults.AuthenticationScheme);
            await context.SignInAsync(new ClaimsPrincipal(identity));
            return Results.NoContent();
        });
        app.MapPost("/sign-out", (HttpContext context) => context.SignOutAsync());
        app.MapGet("/me", (HttpContext context, IOptions<ChatOptions> chat) => new
        {
            user = context.CurrentUser().Id,
            name = context.CurrentUser().Name,
            isClerk = context.CurrentUser().IsClerk,
            gateway = chat.Value.Gateway!.GetLeftPart(UriPartial.Authority),
        }).RequireAuthorization();
    }

    /// <summary>Who asks, behind <c>RequireAuthorization</c>.</summary>
    public static ShopUser CurrentUser(this HttpContext context) =>
        ShopUser.All.Single(user => user.Id == context.User.FindFirstValue(ClaimTypes.NameIdentifier));

    private sealed record SignInRequest(string User);
}
