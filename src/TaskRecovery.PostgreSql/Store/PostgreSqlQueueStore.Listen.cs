using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Listens for hints.</content>
internal sealed partial class PostgreSqlQueueStore
{
    // A connection that was cut raises no error while it is only listening, so it is probed after this long without a notification.
    private static readonly TimeSpan QuietCheck = TimeSpan.FromSeconds(10);

    public async Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken)
    {
        if (!_database.Options.UseNotifications)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, _time, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            var connection = await _database.OpenSessionAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            connection.Notification += (_, notification) =>
            {
                if (HintText.Read(notification.Payload, Hints.Mark) is { } hint)
                {
                    onHint(hint);
                }
            };
            await ExecuteAsync("set idle_session_timeout = 0; listen " + PostgreSqlDatabase.Quote(_database.Channel)).ConfigureAwait(false);
            onHint(new StoreHint(StoreHintKind.Connected, null));
            while (true)
            {
                if (!await connection.WaitAsync(QuietCheck, cancellationToken).ConfigureAwait(false))
                {
                    await ExecuteAsync("select 1").ConfigureAwait(false);
                }
            }

            async Task ExecuteAsync(string statement)
            {
                var command = connection.CreateCommand();
                await using var __ = command.ConfigureAwait(false);
                command.CommandText = statement;
                command.CommandTimeout = (int)QuietCheck.TotalSeconds;
                await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, _database.SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, _database.SchemaName)!;
        }
    }
}
