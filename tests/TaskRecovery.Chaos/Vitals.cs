using System.Globalization;

namespace TaskRecovery.Chaos;

/// <summary>What the operating system says of a process: a leak shows here, whatever leaks.</summary>
/// <param name="Name">Which worker.</param>
/// <param name="IsVeteran">Whether it has lived through all of the harm; the others are new.</param>
/// <param name="Megabytes">Resident memory.</param>
/// <param name="Handles">Open files, connections among them.</param>
/// <param name="Threads">Threads.</param>
/// <param name="Connections">Connections through its own network; 0 where it has none.</param>
internal sealed record Vitals(string Name, bool IsVeteran, int Megabytes, int Handles, int Threads, int Connections)
{
    public static Vitals Read(Worker worker)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{worker.Id}");
        var status = File.ReadLines(Path.Combine(folder, "status")).Select(line => line.Split(':', 2)).Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => parts[1].Trim(), StringComparer.Ordinal);
        return new Vitals(
            worker.Settings.NodeName ?? "unnamed",
            worker.IsVeteran,
            Number(status["VmRSS"]) / 1024,
            Directory.GetFiles(Path.Combine(folder, "fd")).Length,
            Number(status["Threads"]),
            worker.Network?.Connections ?? 0);

        static int Number(string text) => int.Parse(text.Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
