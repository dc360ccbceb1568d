using AspireChat.Contracts;
using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class UserClaimTests
{
    [Fact]
    public async Task A_providers_claims_are_read_under_the_names_that_are_configured()
    {
        await using var service = await RunningService.StartAsync(settings: new()
        {
            ["Jwt:UserClaim"] = "email",
            ["Jwt:NameClaim"] = "nickname",
            ["Jwt:PictureClaim"] = "avatar",
        });

        var user = await ValidateAsync(
            service,
            "\"exp\":4000000000,\"iat\":1000000000.25,\"email\":\"a.b+c@example.com\",\"name\":\"not this\",\"nickname\":\"Ä\",\"avatar\":\"https://x/y\"");

        Assert.Equal(("a.b+c@example.com", "Ä", "https://x/y", 1_000_000_000_250), (user!.Id, user.Name, user.Picture, user.IssuedAt));
        Assert.Equal(new UserProfile("Ä", "https://x/y"), user.Profile);
        Assert.Null(await ValidateAsync(service, "\"exp\":4000000000"));
        Assert.Null(await ValidateAsync(service, "\"exp\":4000000000,\"email\":[\"a\",\"b\"]"));
    }

    [Theory]
    [InlineData("auth0|64f0c2")]
    [InlineData("a.b+c@example.com")]
    [InlineData("urn:x:y~1=2")]
    public async Task Wide_ids_are_users(string id)
    {
        await using var service = await RunningService.StartAsync();

        Assert.Equal(id, await (await service.GetAsync("/user", TestTokens.For(id))).Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("\"name\":\"Alice\"", "Alice", null)]
    [InlineData("\"name\":\"  \\u0000A\\nb \",\"picture\":\"http://example.com/a.png\"", "Ab", null)]
    [InlineData("\"name\":7,\"picture\":\"https://example.com/a.png\"", "7", "https://example.com/a.png")]
    [InlineData("\"name\":\"\",\"picture\":\"javascript:alert(1)\"", null, null)]
    [InlineData("\"picture\":\"https://user:secret@example.com/\"", null, null)]
    [InlineData("\"picture\":\"https://example.com/a b\"", null, null)]
    public async Task A_bad_name_or_picture_is_cut_or_dropped_and_the_token_is_good(string claims, string? name, string? picture)
    {
        await using var service = await RunningService.StartAsync();

        var user = await ValidateAsync(service, $"\"exp\":4000000000,{claims}");

        Assert.Equal((name, picture), (user!.Profile?.Name, user.Profile?.Picture));
    }

    [Fact]
    public void A_long_name_is_cut_between_characters()
    {
        Assert.Equal(100, UserProfile.From(new string('x', 500), null)!.Name!.Length);
        Assert.Equal(99, UserProfile.From(new string('x', 99) + "😀", null)!.Name!.Length);
        Assert.Null(UserProfile.From(null, "https://example.com/" + new string('x', 500)));
    }

    [Fact]
    public async Task The_rooms_of_a_token_are_the_union_of_what_matches()
    {
        await using var service = await RunningService.StartAsync();

        var user = await ValidateAsync(
            service, "\"exp\":4000000000,\"rooms\":{\"team-1\":[\"moderate\"],\"team-*\":[\"read\",\"join\"],\"team-1*\":[\"send\"],\"*\":[]}");

        var rooms = user!.Rooms!;
        Assert.Equal(RoomRights.Read | RoomRights.Join | RoomRights.Send | RoomRights.Moderate, rooms.For("team-1"));
        Assert.Equal(RoomRights.Read | RoomRights.Join | RoomRights.Send, rooms.For("team-12"));
        Assert.Equal(RoomRights.Read | RoomRights.Join, rooms.For("team-2"));
        Assert.Equal(RoomRights.None, rooms.For("lobby"));
        Assert.Null((await ValidateAsync(service, "\"exp\":4000000000"))!.Rooms);
        Assert.Equal(RoomRights.None, (await ValidateAsync(service, "\"exp\":4000000000,\"rooms\":{}"))!.Rooms!.For("lobby"));
    }

    [Fact]
    public void The_size_of_rooms_is_bounded()
    {
        string Entries(int count) => $"{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"r{i}*\":[]"))}}}";

        Assert.True(RoomGrants.TryParse(Entries(RoomGrants.MostEntries), out _));
        Assert.False(RoomGrants.TryParse(Entries(RoomGrants.MostEntries + 1), out _));
        Assert.False(RoomGrants.TryParse($"{{{new string(' ', RoomGrants.MostCharacters)}}}", out _));
        Assert.False(RoomGrants.TryParse("{\"\\ud83d\":[]}", out _));
        Assert.False(RoomGrants.TryParse("{\"a\":[\"\\ud83d\"]}", out _));
    }

    private static Task<ChatUser?> ValidateAsync(RunningService service, string claims) =>
        service.App.Services.GetRequiredService<UserTokenValidator>().ValidateAsync(TestTokens.Raw(claims));
}
