using TaskRecovery.Cli.Commands;
using TaskRecovery.Cli.Output;

return await CommandLine.RunAsync(args, Terminal.OfProcess(), CancellationToken.None).ConfigureAwait(false);
