using System.Runtime.InteropServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

// A worker process for tests to kill. Standard output says "ready" when the host has started; standard error has the log.
ParentProcess.ExitWhenItIsGone();

// What the process still holds after this is what it needs, or leaks; what it used for a moment is gone.
using var collecting = OperatingSystem.IsWindows()
    ? null
    : PosixSignalRegistration.Create(PosixSignal.SIGWINCH, static _ =>
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Console.WriteLine("collected");
    });
var settings = HostSettings.FromArgument(args[0]);
if (settings.HoldsWriteLock)
{
    await WriteLock.HoldAsync(settings);
}

using var journal = new Journal(settings.JournalFile);
DeathTrap.Set(settings, journal);

var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders();
builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
builder.Logging.AddFilter(level => level >= LogLevel.Information);
builder.Logging.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
    console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Services.AddSingleton(settings);
builder.Services.AddSingleton(journal);
if (settings.ClockError != TimeSpan.Zero)
{
    builder.Services.AddSingleton<TimeProvider>(new WrongClock(settings.ClockError));
}

ProbeHost.Add(builder.Services, settings);
if (settings.EnqueueEvery is not null)
{
    builder.Services.AddHostedService<OwnProducer>();
}

using var host = builder.Build();
journal.Write(0, 0, JournalEvents.Starting);
await host.StartAsync();
journal.Write(0, 0, JournalEvents.Started);
Console.WriteLine("ready");
await host.WaitForShutdownAsync();
Console.WriteLine("stopped");
