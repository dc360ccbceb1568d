using Aspire.Hosting.ApplicationModel;

namespace AspireChat.Tests.LocalHost;

public sealed class ReferenceExpressionTests
{
    [Fact]
    public async Task Holes_are_filled_when_asked_and_not_before()
    {
        var asked = 0;
        var late = new ParameterResource("late", _ => $"value {++asked}");
        var expression = ReferenceExpression.Create($"a{late}b{"text"}c");

        Assert.Equal(0, asked);
        Assert.Equal("avalue 1btextc", await expression.GetValueAsync(CancellationToken.None));
        Assert.Equal("a{late.value}btextc", expression.ValueExpression);
    }

    [Fact]
    public async Task Braces_in_literals_and_texts_stay_braces()
    {
        var parameter = new ParameterResource("p", _ => "{0}");
        var expression = ReferenceExpression.Create($"{{\"a\":{"{1}"}}}{parameter}");

        Assert.Equal("{\"a\":{1}}{0}", await expression.GetValueAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Connection_strings_have_the_genuine_shape()
    {
        var password = new ParameterResource("password", _ => "secret");
        var redis = new RedisResource("redis", password);
        var postgres = new PostgresServerResource("postgres", null, password);
        var database = new PostgresDatabaseResource("chatdb", "chat", postgres);
        Allocate(redis, 6379);
        Allocate(postgres, 5432);

        Assert.Equal("localhost:6379,password=secret", await redis.GetConnectionStringAsync());
        Assert.Equal(
            "Host=localhost;Port=5432;Username=postgres;Password=secret;Database=chat",
            await ((IResourceWithConnectionString)database).GetConnectionStringAsync());
        Assert.Equal("{postgres.connectionString};Database=chat", database.ConnectionStringExpression.ValueExpression);
    }

    [Theory]
    [InlineData(true, true, true, false)]
    [InlineData(false, true, false, true)]
    public void Generated_values_have_the_length_and_the_characters_asked_for(bool lower, bool upper, bool numeric, bool special)
    {
        var value = new GenerateParameterDefault { MinLength = 64, Lower = lower, Upper = upper, Numeric = numeric, Special = special,
            MinUpper = 3 }
            .GetDefaultValue();

        Assert.Equal(64, value.Length);
        Assert.True(value.Count(char.IsAsciiLetterUpper) >= 3);
        Assert.All(value, c => Assert.True(
            (lower && char.IsAsciiLetterLower(c)) || (upper && char.IsAsciiLetterUpper(c)) || (numeric && char.IsAsciiDigit(c)) ||
            (special && !char.IsAsciiLetterOrDigit(c))));
    }

    private static void Allocate(IResource resource, int port)
    {
        var endpoint = new EndpointAnnotation(System.Net.Sockets.ProtocolType.Tcp, name: "tcp");
        endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", port);
        resource.Annotations.Add(endpoint);
    }
}
