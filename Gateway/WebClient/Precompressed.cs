using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Net.Http.Headers;

namespace AspireChat.Gateway.WebClient;

/// <summary>
/// Files that the build of the page has compressed: <c>app.js.br</c> and <c>app.js.gz</c> beside <c>app.js</c>. Compressing here, at each
/// request, would cost time and compress less. Whoever accepts none of them gets the plain file.
/// </summary>
internal sealed class Precompressed(IFileProvider files, IContentTypeProvider types) : IContentTypeProvider
{
    /// <summary>The better one first.</summary>
    private static readonly (string Encoding, string Extension)[] Variants = [("br", ".br"), ("gzip", ".gz")];

    /// <summary>A variant has no address of its own: its content would be read as something else.</summary>
    public static bool IsVariant(PathString path) => ExtensionOf(path.Value!) is not null;

    /// <summary>The file's own path, whatever variant of it is sent.</summary>
    public static string PlainPath(HttpContext context) => context.Request.Path.Value is { } path && ExtensionOf(path) is { } extension
        ? path[..^extension.Length]
        : context.Request.Path.Value!;

    /// <summary>Leads the request to the best variant that its sender accepts.</summary>
    public void Choose(HttpContext context)
    {
        var (request, path) = (context.Request, context.Request.Path.Value!);
        // An endpoint answers such a request, and no file.
        if (context.GetEndpoint() is not null || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)))
        {
            return;
        }

        foreach (var (encoding, extension) in Variants)
        {
            if (files.GetFileInfo(path + extension) is { Exists: true, IsDirectory: false })
            {
                context.Response.Headers.Vary = HeaderNames.AcceptEncoding;
                if (Accepts(request, encoding))
                {
                    request.Path = path + extension;
                    context.Response.Headers.ContentEncoding = encoding;
                    return;
                }
            }
        }
    }

    public bool TryGetContentType(string subpath, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out string contentType) =>
        types.TryGetContentType(ExtensionOf(subpath) is { } extension ? subpath[..^extension.Length] : subpath, out contentType);

    private static bool Accepts(HttpRequest request, string encoding)
    {
        foreach (var accepted in request.GetTypedHeaders().AcceptEncoding)
        {
            if (accepted.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase))
            {
                return accepted.Quality is not 0;
            }
        }

        return false;
    }

    private static string? ExtensionOf(string path)
    {
        foreach (var (_, extension) in Variants)
        {
            if (path.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
            {
                return extension;
            }
        }

        return null;
    }
}
