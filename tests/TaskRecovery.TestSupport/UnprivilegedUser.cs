namespace TaskRecovery.TestSupport;

/// <summary>Runs PostgreSQL's programs as another user if this process is root, because PostgreSQL refuses to run as root.</summary>
internal static class UnprivilegedUser
{
    private static readonly Lazy<string?> User = new(Find);

    /// <summary>Returns the prefix that makes a command run as that user; empty if this process is not root.</summary>
    public static string[] Prefix()
    {
        if (User.Value is not { } user)
        {
            return [];
        }

        if (OnPath("setpriv"))
        {
            return ["setpriv", $"--reuid={user}", $"--regid={user}", "--clear-groups", "--"];
        }

        return OnPath("runuser")
            ? ["runuser", "-u", user, "--"]
            : ["su", "-s", "/bin/sh", user, "-c", "exec \"$@\"", "--", "sh"];
    }

    /// <summary>Makes that user the owner of a file or folder.</summary>
    public static async Task GiveAsync(string path)
    {
        if (User.Value is not { } user)
        {
            return;
        }

        var (exitCode, output) = await Command.RunAsync(["chown", user, path]);
        if (exitCode != 0)
        {
            throw new InvalidOperationException($"chown {user} {path} failed: {output}");
        }
    }

    private static string? Find()
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }

        var users = File.ReadLines("/etc/passwd").Select(line => line.Split(':')[0]).ToHashSet(StringComparer.Ordinal);
        return ((string[])["postgres", "nobody"]).FirstOrDefault(users.Contains)
            ?? throw new InvalidOperationException(
                "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as.");
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Concat(["/usr/bin", "/usr/sbin", "/sbin"])
            .Any(folder => File.Exists(Path.Combine(folder, program)));
}
