using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace TaskRecovery.Dashboard.Hosting;

/// <summary>The style sheet, the script and the icon, embedded in this assembly.</summary>
internal sealed class Assets
{
    // Compressing them takes a tenth of a second. They never change, so a process does it once, however many dashboards it has.
    private static readonly Lazy<AssetFile> TheStyle = new(static () => Load("dashboard", "css", "text/css; charset=utf-8"));
    private static readonly Lazy<AssetFile> TheScript = new(static () => Load("dashboard", "js", "text/javascript; charset=utf-8"));
    private static readonly Lazy<AssetFile> TheIcon = new(static () => Load("icon", "svg", "image/svg+xml"));

    public AssetFile Style { get; } = TheStyle.Value;

    public AssetFile Script { get; } = TheScript.Value;

    public AssetFile Icon { get; } = TheIcon.Value;

    public async Task SendAsync(HttpContext context, string name)
    {
        var file = Find(name);
        if (file is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var response = context.Response;
        response.ContentType = file.ContentType;
        if (name == file.Name)
        {
            response.Headers.CacheControl = "private, max-age=31536000, immutable";
        }

        response.Headers.Vary = "Accept-Encoding";
        var content = file.Plain;
        if (context.Request.Headers.AcceptEncoding.ToString().Split(',').Any(static encoding => encoding.Trim() == "br"))
        {
            response.Headers.ContentEncoding = "br";
            content = file.Compressed;
        }

        response.ContentLength = content.Length;
        await response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
    }

    // In a roll-out, a page of another version may ask here for its file, which has another hash. The file of this version is better than
    // none, but must not be kept under that name: no answer is stored, unless it says so.
    private AssetFile? Find(string name) => Array.Find<AssetFile>([Style, Script, Icon], file => IsVersionOf(file, name));

    private static bool IsVersionOf(AssetFile file, string name)
    {
        var (own, given) = (file.Name.Split('.'), name.Split('.'));
        return given.Length == own.Length && given[0] == own[0] && given[^1] == own[^1]
            && given[1].Length == own[1].Length && given[1].All(char.IsAsciiHexDigitLower);
    }

    private static AssetFile Load(string name, string extension, string contentType)
    {
        using var stream = typeof(Assets).Assembly.GetManifestResourceStream($"Assets/{name}.{extension}")
            ?? throw new InvalidOperationException(
                $"The asset {name}.{extension} is not embedded in {typeof(Assets).Assembly.GetName().Name}.");
        var plain = new byte[stream.Length];
        stream.ReadExactly(plain);
        var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.SmallestSize))
        {
            brotli.Write(plain);
        }

        var hash = Convert.ToHexStringLower(SHA256.HashData(plain))[..12];
        return new AssetFile($"{name}.{hash}.{extension}", contentType, plain, compressed.ToArray());
    }
}
