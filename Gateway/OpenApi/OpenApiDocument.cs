using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace AspireChat.Gateway.OpenApi;

/// <summary>
/// Serves docs/openapi.v1.json as it is. It is written by hand, because its operations are in four services, and the contract came before
/// them.
/// </summary>
internal static class OpenApiDocument
{
    public static void MapOpenApiDocument(this WebApplication app)
    {
        using var resource = typeof(OpenApiDocument).Assembly.GetManifestResourceStream("openapi.v1.json")!;
        var document = new byte[resource.Length];
        resource.ReadExactly(document);
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(document).AsSpan(0, 8))}\"");
        app.MapGet("/openapi/v1.json", (HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-cache";
            return Results.Bytes(document, "application/json", entityTag: tag);
        });
    }
}
