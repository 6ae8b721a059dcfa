using System.Text.RegularExpressions;

namespace TaskRecovery.WebSample;

/// <summary>Masks e-mail addresses before the dashboard shows a text.</summary>
internal static partial class Mask
{
    public static string Mails(string text) => Mail().Replace(text, "***@${domain}");

    [GeneratedRegex(@"[\w.+-]+@(?<domain>[\w-]+\.[\w.]+)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Mail();
}
