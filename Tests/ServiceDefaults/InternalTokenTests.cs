using AspireChat.ServiceDefaults;
using AspireChat.Tests.Gateway;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;

namespace AspireChat.Tests.ServiceDefaults;

public sealed class InternalTokenTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(60));

    [Fact]
    public void A_token_is_used_for_half_a_minute_and_is_good_for_a_minute()
    {
        var tokens = new InternalTokens(Options.Create(new JwtOptions { Key = TestTokens.Key }), _time, new Environment());

        var first = tokens.Take();
        _time.Advance(TimeSpan.FromSeconds(29));
        var same = tokens.Take();
        _time.Advance(TimeSpan.FromSeconds(1));
        var second = tokens.Take();

        var read = new JsonWebToken(first);
        Assert.Equal(first, same);
        Assert.NotEqual(first, second);
        Assert.Equal(("the-service", "aspirechat", InternalTokens.Audience), (read.Subject, read.Issuer, read.Audiences.Single()));
        Assert.Equal(TimeSpan.FromMinutes(1), read.ValidTo - read.ValidFrom);
    }

    [Fact]
    public void A_clock_set_back_does_not_keep_a_token_from_the_future_in_use()
    {
        var tokens = new InternalTokens(Options.Create(new JwtOptions { Key = TestTokens.Key }), _time, new Environment());
        var future = tokens.Take();

        _time.AdjustTime(_time.GetUtcNow().AddHours(-1));

        Assert.NotEqual(future, tokens.Take());
    }

    private sealed class Environment : IHostEnvironment
    {
        public string EnvironmentName { get; set; } = "Test";

        public string ApplicationName { get; set; } = "the-service";

        public string ContentRootPath { get; set; } = "/";

        public IFileProvider ContentRootFileProvider { get; set; } = new NullFileProvider();
    }
}
