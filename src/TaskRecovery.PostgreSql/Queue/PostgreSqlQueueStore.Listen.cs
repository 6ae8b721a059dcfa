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
            await _database.ListenAsync(
                PostgreSqlDatabase.Quote(_database.Channel),
                text =>
                {
                    if (HintText.Read(text, Hints.Mark) is { } hint)
                    {
                        onHint(hint);
                    }
                },
                () => onHint(new StoreHint(StoreHintKind.Connected, null)),
                QuietCheck,
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, _database.SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, _database.SchemaName)!;
        }
    }
}
