using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Security.Claims;
using AspireChat.Tests.Acceptance;
using AspireChat.Tests.Packages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AspireChat.Tests.Documents;

/// <summary>
/// The code of docs/embed.md works as it stands there. Its first message is run by <c>ClientPackageTests</c>, and what it has for a page by
/// <c>web/e2e/guide.js</c>.
/// </summary>
[Collection(ChatSystemDefinition.Name)]
[Trait("Needs", "System")]
public sealed class EmbedPageTests(ChatSystem system)
{
    private const string Page = "docs/embed.md";
    private const string Deployed = "https://chat.example.org";
    private const string Minting = "Minting with a shared key";
    private const string Sending = "Your server sends";

    private string Gateway => system.Gateway.GetLeftPart(UriPartial.Authority);

    [Fact]
    public async Task The_CSharp_of_the_guide_mints_a_token_that_opens_the_chat_and_opens_a_room_and_writes_to_it_by_the_server_API()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddAuthorization();
        await using var app = builder.Build();
        // What the product's own sign-in would have done.
        app.UseRouting();
        app.Use((context, next) =>
        {
            Claim[] claims = [new(ClaimTypes.NameIdentifier, "customer-ada"), new(ClaimTypes.Name, "Ada")];
            context.User = new(new ClaimsIdentity(claims, "sign-in"));
            return next(context);
        });
        app.UseAuthorization();

        await Compiled(Block(Minting, "csharp"), Block(Sending, "csharp"))(app, await system.JwtKeyAsync());
        await app.StartAsync();
        using var shop = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        var token = await shop.GetStringAsync("/chat/token");
        var admin = await system.TokenAsync("shop-bot", "chat:admin");
        // The same message again, as curl sends it.
        var again = await CommandLine.RunAsync(
            LinkTests.Root(), Block(Sending, "").Replace(Deployed, Gateway, StringComparison.Ordinal), ("token", admin));

        Assert.Contains("\"duplicate\":true", again, StringComparison.Ordinal);
        var page = await ReadAsync(token, "/api/rooms/order-1001/messages");
        Assert.Contains("\"content\":\"Thank you!\"", page, StringComparison.Ordinal);
        Assert.Contains("\"from\":\"shop-bot\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_token_that_Node_mints_as_the_guide_says_opens_the_chat()
    {
        var folder = Directory.CreateTempSubdirectory("aspirechat-guide-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "mint.mjs"), Block(Minting, "js"));
            await File.WriteAllTextAsync(
                Path.Combine(folder.FullName, "app.mjs"),
                "import { mint } from './mint.mjs'; console.log(mint('ada', { name: 'Ada' }, process.env.KEY));");
            var token = await CommandLine.RunAsync(folder.FullName, "node app.mjs", ("KEY", await system.JwtKeyAsync()));

            Assert.Contains("\"items\"", await ReadAsync(token, "/api/conversations"), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Block(string section, string language) =>
        DocumentBlocks.Of(Page, section).Single(block => block.Language == language).Text;

    private async Task<string> ReadAsync(string token, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var answer = await system.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsStringAsync();
    }

    /// <summary>The blocks one after another, in a web application's program that has an <c>app</c> and the <c>key</c>.</summary>
    private Func<WebApplication, string, Task> Compiled(params string[] blocks)
    {
        var lines = string.Join('\n', blocks).Replace(Deployed, Gateway, StringComparison.Ordinal).Split('\n');
        var isUsing = lines.ToLookup(line => line.StartsWith("using ", StringComparison.Ordinal) && line.EndsWith(';'));
        var source = $$"""
            using System; using System.Collections.Generic; using System.Net.Http; using System.Threading.Tasks;
            using Microsoft.AspNetCore.Builder;
            {{string.Join('\n', isUsing[true])}}
            public static class Guide
            {
                public static async Task RunAsync(WebApplication app, string key)
                {
            {{string.Join('\n', isUsing[false])}}
                }
            }
            """;
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var compilation = CSharpCompilation.Create(
            "guide",
            [CSharpSyntaxTree.ParseText(source)],
            references.Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        using var program = new MemoryStream();
        var result = compilation.Emit(program);
        Assert.Equal("", string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)));
        var guide = Assembly.Load(program.ToArray()).GetType("Guide")!;
        return guide.GetMethod("RunAsync")!.CreateDelegate<Func<WebApplication, string, Task>>();
    }
}
