using TaskRecovery.Cli.Commands;
using TaskRecovery.Cli.Output;

var terminal = Terminal.OfProcess();
using var interruption = new Interruption(terminal.Error, TimeProvider.System);
return await CommandLine.RunAsync(args, terminal, interruption.Token).ConfigureAwait(false);
