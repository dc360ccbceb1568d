using System.Reflection;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.Tests.Architecture;

/// <summary>Data of theories is read when tests are discovered, and may be used many minutes later.</summary>
public sealed class TheoryDataTests
{
    /// <summary>A whole run of the tests is shorter.</summary>
    private static readonly TimeSpan LongestRun = TimeSpan.FromDays(1);

    [Fact]
    public void Data_of_a_theory_holds_no_token_that_can_expire_before_the_theory_runs()
    {
        var now = TimeProvider.System.GetUtcNow();
        var texts = Texts().ToList();

        Assert.NotEmpty(texts);
        Assert.Empty(texts.Where(text => ExpiryOf(text.Value) is { } expiry && expiry < now + LongestRun)
            .Select(text => $"{text.Member.DeclaringType!.Name}.{text.Member.Name}: {text.Value}"));
    }

    [Fact]
    public void A_token_among_the_data_would_be_found()
    {
        var token = Gateway.TestTokens.For("alice", expiresIn: 600);

        Assert.InRange(ExpiryOf(token)!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(500), TimeSpan.FromSeconds(600));
    }

    private static IEnumerable<(PropertyInfo Member, string Value)> Texts() =>
        from type in typeof(TheoryDataTests).Assembly.GetTypes()
        where !type.ContainsGenericParameters
        from member in type.GetProperties(BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        where typeof(IEnumerable<object[]>).IsAssignableFrom(member.PropertyType)
        from row in (IEnumerable<object[]>)member.GetValue(null)!
        from value in row.OfType<string>()
        select (member, value);

    private static DateTimeOffset? ExpiryOf(string text) =>
        new JsonWebTokenHandler().CanReadToken(text) ? new JsonWebTokenHandler().ReadJsonWebToken(text).ValidTo : null;
}
