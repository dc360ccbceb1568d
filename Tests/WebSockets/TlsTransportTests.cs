using System.Net;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using AspireChat.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.WebSockets;

/// <summary>TLS and HTTP/2 over connections of event loops: the server's own layers stand between, so no socket can be taken.</summary>
public sealed class TlsTransportTests : IAsyncLifetime
{
    private const int Large = 8 * 1024 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly X509Certificate2 _certificate = Certificate();
    private WebApplication _app = null!;

    private Uri Address => new(_app.Urls.First());

    public Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        builder.Services.AddConnectionHandover();
        builder.Services.AddLoopTransport("test", _ => new EventLoopOptions(IsEnabled: true, Sweep: TimeSpan.FromSeconds(1)));
        _app = builder.Build();
        _app.UseWebSockets();
        _app.MapGet("/large", () => Results.Bytes(new byte[Large]));
        _app.MapPost("/length", async (HttpRequest request) =>
        {
            var counted = new MemoryStream();
            await request.Body.CopyToAsync(counted);
            return counted.Length;
        });
        _app.MapGet("/transport", (HttpContext context) =>
            new[] { context.Features.Get<LoopConnection>() is not null, Handshake.CanTakeSocket(context), context.Request.Protocol == "HTTP/2" });
        _app.Map("/ws", async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[1024];
            var received = await socket.ReceiveAsync(buffer, CancellationToken.None);
            await socket.SendAsync(buffer.AsMemory(0, received.Count), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", CancellationToken.None);
        });
        return _app.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _certificate.Dispose();
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Large_bodies_pass_both_ways(string version)
    {
        using var http = Client(version);

        Assert.Equal([true, false, version == "2.0"], (await http.GetFromJsonAsync<bool[]>("/transport"))!);
        Assert.Equal(Large, (await http.GetByteArrayAsync("/large")).Length);
        using var answer = await http.PostAsync("/length", new ByteArrayContent(new byte[Large]));
        Assert.Equal(Large, await answer.Content.ReadFromJsonAsync<long>());
    }

    [Fact]
    public async Task A_socket_is_framed_by_the_framework()
    {
        using var socket = new ClientWebSocket();
        socket.Options.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        using var late = new CancellationTokenSource(Patience);
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{Address.Port}/ws"), late.Token);

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, late.Token);

        var buffer = new byte[1024];
        var received = await socket.ReceiveAsync(buffer.AsMemory(), late.Token);
        Assert.Equal("hello"u8.ToArray(), buffer[..received.Count]);
        Assert.Equal(WebSocketMessageType.Close, (await socket.ReceiveAsync(buffer.AsMemory(), late.Token)).MessageType);
    }

    private HttpClient Client(string version)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        return new HttpClient(handler)
        {
            BaseAddress = Address,
            Timeout = Patience,
            DefaultRequestVersion = Version.Parse(version),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var signed = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        // Only a certificate that was exported and read again has a key that the server can use everywhere.
        return X509CertificateLoader.LoadPkcs12(signed.Export(X509ContentType.Pkcs12), null);
    }
}
