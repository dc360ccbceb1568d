using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;

namespace AspireChat.Gateway.WebClient;

/// <summary>The browser client: plain files without a build step, so their names do not change with their content.</summary>
internal static class WebClientExtensions
{
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
        app.UseDefaultFiles(new DefaultFilesOptions { FileProvider = files, DefaultFileNames = ["index.html"] });
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = files,
            ContentTypeProvider = types,
            // The browser keeps a file but asks each time whether it is current (ETag, 304): modules of two releases must never meet.
            OnPrepareResponse = static file => file.Context.Response.Headers.CacheControl = "no-cache",
        });
    }

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
