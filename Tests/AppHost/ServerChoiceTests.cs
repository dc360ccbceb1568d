using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using AspireChat.AppHost.Servers;
using AspireChat.Servers;
using Microsoft.Extensions.DependencyInjection;

namespace AspireChat.Tests.AppHost;

/// <summary>How Redis and PostgreSQL run depends on the configuration.</summary>
[Trait("Needs", "AppHost")]
public sealed class ServerChoiceTests : IDisposable
{
    private readonly string _folder = TemporaryFolder.Create("test");

    [Fact]
    [Trait("Needs", "Redis")]
    [Trait("Needs", "PostgreSQL")]
    public async Task Servers_are_processes_where_configuration_says_so()
    {
        await using var model = await AppHostModel.CreateAsync(_folder, "Servers=processes");
        Assert.IsType<RedisProcessResource>(model["redis"]);
        Assert.IsType<PostgresProcessResource>(model["postgres"]);
        Assert.IsType<PostgresProcessDatabase>(model["chatdb"]);
        Assert.DoesNotContain(model.Resources, resource => resource is ContainerResource);
    }

    [Fact]
    public async Task Servers_are_containers_where_configuration_says_so()
    {
        await using var model = await AppHostModel.CreateAsync(_folder, "Servers=containers");
        Assert.IsType<RedisResource>(model["redis"]);
        Assert.IsType<PostgresServerResource>(model["postgres"]);
        Assert.Equal(
            ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory", "1gb", "--maxmemory-policy", "noeviction"],
            (await model.ArgumentsAsync("redis")).OfType<string>().TakeLast(8));
    }

    [Fact]
    public async Task Published_servers_are_containers_whatever_configuration_says()
    {
        await using var model = await AppHostModel.CreateAsync(
            _folder, "Servers=processes", "--operation", "publish", "--step", "publish", "--output-path", Path.Combine(_folder, "published"));
        Assert.True(model.IsPublished);
        Assert.IsType<RedisResource>(model["redis"]);
        Assert.IsType<PostgresServerResource>(model["postgres"]);
        Assert.DoesNotContain(model.Resources, resource => resource.Name == "demo");
    }

    [Theory]
    [InlineData("Servers=nonsense", "Servers is 'nonsense', but can only be containers or processes.")]
    [InlineData("Redis:AppendFsync=no", "Redis:AppendFsync is 'no', but can only be everysec or always.")]
    [InlineData("Redis:MaxMemory=lots", "Redis:MaxMemory is 'lots', but must be a number with mb or gb, such as 512mb.")]
    public async Task Setting_that_is_not_understood_is_named(string setting, string says)
    {
        var refused = await AppHostModel.RefusalOfAsync(_folder, setting);
        Assert.Equal(says, refused.Message);
    }

    [Theory]
    [Trait("Needs", "Redis")]
    [Trait("Needs", "PostgreSQL")]
    [InlineData("processes")]
    [InlineData("containers")]
    public async Task No_secret_is_an_argument_of_a_process_of_this_machine(string servers)
    {
        await using var model = await AppHostModel.CreateAsync(_folder, $"Servers={servers}");
        var secrets = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllTextAsync(await SecretsAsync(model)))!;
        Assert.True(secrets.Count >= 3);
        foreach (var resource in model.Resources)
        {
            foreach (var argument in await model.ArgumentsAsync(resource.Name))
            {
                Assert.True(argument is not (ParameterResource or IResourceBuilder<ParameterResource>), $"{resource.Name}: {argument}");
                // The argument names a variable, and the container's shell puts in its value.
                var text = argument is ReferenceExpression expression ? await expression.GetValueAsync(CancellationToken.None) : argument.ToString();
                Assert.DoesNotContain(secrets.Values, secret => text!.Contains(secret, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    [Trait("Needs", "Redis")]
    [Trait("Needs", "PostgreSQL")]
    public async Task Settings_of_redis_reach_its_configuration()
    {
        await using var model = await AppHostModel.CreateAsync(_folder, "Servers=processes", "Redis:AppendFsync=always", "Redis:MaxMemory=64mb");

        await using var services = new ServiceCollection().BuildServiceProvider();
        await model.PrepareAsync("redis", services);

        var directives = await File.ReadAllLinesAsync(Path.Combine(_folder, "redis", "redis.conf"));
        Assert.Equal("appendfsync always", directives.Last(line => line.StartsWith("appendfsync", StringComparison.Ordinal)));
        Assert.Contains("appendonly yes", directives);
        Assert.Contains("maxmemory 64mb", directives);
        Assert.Contains("maxmemory-policy noeviction", directives);
    }

    [Fact]
    [Trait("Needs", "Redis")]
    [Trait("Needs", "PostgreSQL")]
    public async Task Second_host_on_the_same_data_is_refused_and_told_which_process_has_it()
    {
        using var first = DataFolder.Open(_folder);
        var refused = await AppHostModel.RefusalOfAsync(_folder, "Servers=processes");
        Assert.Contains($"process {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Trait("Needs", "Redis")]
    [Trait("Needs", "PostgreSQL")]
    [InlineData("redis", "notes.txt", "1", "holds 'notes.txt', which is not Redis data")]
    [InlineData("postgres", "PG_VERSION", "9.6\n", "was made by PostgreSQL 9.6, but installed is")]
    public async Task Data_that_no_server_here_can_use_stops_the_start_before_anything_runs(
        string server, string file, string content, string says)
    {
        Directory.CreateDirectory(Path.Combine(_folder, server));
        await File.WriteAllTextAsync(Path.Combine(_folder, server, file), content);

        var refused = await AppHostModel.RefusalOfAsync(_folder, "Servers=processes");

        Assert.Contains(says, refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "redis", "redis.conf")), "a server was prepared");
    }

    [Fact]
    [Trait("Needs", "Redis")]
    [Trait("Needs", "PostgreSQL")]
    public async Task Data_of_postgres_goes_to_another_folder_where_its_user_cannot_reach_this_one()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var closed = Path.Combine(_folder, "closed");
        Directory.CreateDirectory(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var data = Path.Combine(closed, "data");
        await using var model = await AppHostModel.CreateAsync(data, "Servers=processes");
        var place = Assert.IsType<PostgresProcessResource>(model["postgres"]).WorkingDirectory;
        if (Environment.IsPrivilegedProcess)
        {
            Assert.StartsWith("/var/lib/aspirechat/", place, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(data, place);
        }
    }

    public void Dispose() => TemporaryFolder.Delete(_folder);

    /// <summary>The file of the secrets. Each secret is generated when it is first needed.</summary>
    private async Task<string> SecretsAsync(AppHostModel model)
    {
        foreach (var secret in model.Resources.OfType<ParameterResource>().Where(parameter => parameter.Secret))
        {
            Assert.NotEmpty((await secret.GetValueAsync(CancellationToken.None))!);
        }

        return Path.Combine(_folder, "secrets.json");
    }
}
