using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Measured = BenchmarkDotNet.Jobs.Job;

namespace TaskRecovery.Benchmarks.InProcess;

/// <summary>The parts of the engine that need no store.</summary>
internal static class InProcessBenchmarks
{
    public static void Run(bool quick)
    {
        var job = (quick ? Measured.ShortRun : Measured.Default).WithToolchain(InProcessEmitToolchain.Instance);
        var folder = Directory.CreateTempSubdirectory("taskrecovery-benchmarks-").FullName;
        BenchmarkRunner.Run<ExecutionBenchmarks>(DefaultConfig.Instance.AddJob(job).WithArtifactsPath(folder));
    }
}
