namespace TaskRecovery.Dashboard.Hosting;

/// <summary>A style sheet, script or image in memory, plain and compressed.</summary>
/// <param name="Name">The name with a hash of the content, so that a browser may keep it for ever.</param>
/// <param name="ContentType">The media type.</param>
/// <param name="Plain">The content.</param>
/// <param name="Compressed">The content, compressed with Brotli.</param>
internal sealed record AssetFile(string Name, string ContentType, byte[] Plain, byte[] Compressed);
