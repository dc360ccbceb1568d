using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.WebClient;

/// <summary>
/// The browser client. What is published has been built (<c>web/page.mjs</c>): the names of its <c>assets</c> change with their content. The
/// source folder is served as it is, without a build step.
/// </summary>
internal static class WebClientExtensions
{
    private const string Assets = "/assets/";

    public static void UseWebClient(this WebApplication app)
    {
        if (FindRoot(app) is not { } root)
        {
            app.Logger.NoWebClient();
            return;
        }
        var files = new PhysicalFileProvider(root);
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".js"] = types.Mappings[".mjs"] = "text/javascript; charset=utf-8";
        types.Mappings[".html"] = "text/html; charset=utf-8";
        types.Mappings[".css"] = "text/css; charset=utf-8";
        types.Mappings[".json"] = "application/json";
        types.Mappings[".svg"] = "image/svg+xml; charset=utf-8";
        var compressed = new Precompressed(files, types);
        var isBuilt = files.GetDirectoryContents(Assets).Exists;
        app.UseWhen(static context => !Precompressed.IsVariant(context.Request.Path), page =>
        {
            page.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files, DefaultFileNames = ["index.html"] });
            page.Use((context, next) =>
            {
                compressed.Choose(context);
                return next(context);
            });
            page.UseStaticFiles(new StaticFileOptions
            {
                FileProvider = files,
                ContentTypeProvider = compressed,
                OnPrepareResponse = file => file.Context.Response.Headers.CacheControl = CacheControl(Precompressed.PlainPath(file.Context), isBuilt),
            });
        });
    }

    private static string CacheControl(string path, bool isBuilt) => path switch
    {
        _ when path.StartsWith(Assets, StringComparison.Ordinal) => "public, max-age=31536000, immutable",
        // Entries of two releases may have one length and, in an image, one time, which is all that an ETag here says. They are small.
        "/index.html" or "/sw.js" when isBuilt => "no-store",
        // The browser keeps a file but asks each time whether it is current (ETag, 304): modules of two releases must never meet.
        _ => "no-cache",
    };

    private static string? FindRoot(WebApplication app)
    {
        var configured = app.Services.GetRequiredService<IOptions<GatewayOptions>>().Value.WebRoot;
        if (configured is not null)
        {
            return Path.GetFullPath(configured, app.Environment.ContentRootPath);
        }

        var beside = Path.Combine(AppContext.BaseDirectory, "web");
        // In development the source folder is served, so that an edit shows at the next reload.
        var source = Path.GetFullPath(Path.Combine(app.Environment.ContentRootPath, "..", "web"));
        if (app.Environment.IsDevelopment() && File.Exists(Path.Combine(source, "index.html")))
        {
            return source;
        }

        return Directory.Exists(beside) ? beside : null;
    }
}
