using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace AspireChat.Tests.ServiceDefaults;

/// <summary>The OpenID Connect provider of the project OidcProvider (OpenIddict), as a process on a port of its own.</summary>
internal sealed class ProviderProcess : IAsyncDisposable
{
    private static readonly string Program = Path.GetFullPath(
        Path.Combine(AppContext.BaseDirectory, "../../OidcProvider", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "AspireChat.OidcProvider.dll"));

    private readonly HttpClient _http;
    private Process? _process;

    private ProviderProcess(int port)
    {
        Address = $"http://127.0.0.1:{port}";
        _http = new HttpClient { BaseAddress = new Uri(Address) };
    }

    public string Address { get; }

    /// <summary>A provider that is not running yet.</summary>
    public static ProviderProcess Create()
    {
        using var free = new TcpListener(System.Net.IPAddress.Loopback, 0);
        free.Start();
        return new ProviderProcess(((System.Net.IPEndPoint)free.LocalEndpoint).Port);
    }

    public static async Task<ProviderProcess> StartedAsync()
    {
        var provider = Create();
        await provider.StartAsync();
        return provider;
    }

    /// <summary>Starts with one new key, <c>one</c> (RS256). Returns when the provider answers.</summary>
    public async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo("dotnet", ["exec", Program])
        {
            Environment = { ["ASPNETCORE_URLS"] = Address }, RedirectStandardOutput = true, RedirectStandardError = true,
        });
        _process!.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.IsTrueAsync(AnswersAsync, "the provider answers");
    }

    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _process = null;
    }

    /// <summary>A token by the client-credentials grant.</summary>
    public async Task<string> TokenAsync(string user, string? name = null, string audience = "aspirechat", int lifetime = 600)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials", ["client_id"] = "tests", ["client_secret"] = "any", ["user"] = user, ["for"] = audience,
            ["lifetime"] = $"{lifetime}",
        };
        if (name is not null)
        {
            form["name"] = name;
        }

        using var answer = await _http.PostAsync("/connect/token", new FormUrlEncodedContent(form));
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("access_token").GetString()!;
    }

    /// <summary>Publishes a new key, which signs from now on.</summary>
    /// <param name="algorithm">RS256 or ES256.</param>
    public async Task RotateAsync(string id, string algorithm) =>
        (await _http.PutAsync($"/keys/{id}?algorithm={algorithm}", null)).EnsureSuccessStatusCode();

    public async Task WithdrawAsync(string id) => (await _http.DeleteAsync($"/keys/{id}")).EnsureSuccessStatusCode();

    /// <summary>How often the discovery document was asked for since the start.</summary>
    public async Task<int> ReadingsAsync() => int.Parse(await _http.GetStringAsync("/readings"));

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            return (await _http.GetAsync("/.well-known/jwks")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
