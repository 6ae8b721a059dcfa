using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>What a context does in an override of <c>SaveChangesAsync</c> is not skipped by a save together with an entry.</summary>
public sealed class EfCoreOverrideTests : IAsyncLifetime
{
    private readonly TemporaryDatabase _database = new();
    private IHost? _host;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        Add<LongContext>(builder.Services);
        Add<ShortContext>(builder.Services);
        Add<BothContext>(builder.Services);
        Add<DerivedContext>(builder.Services);
        Add<RetryingContext>(
            builder.Services, static sqlite => sqlite.ExecutionStrategy(static dependencies => new RetryingStrategy(dependencies)));
        builder.Services.AddTaskRecovery().UseSqlite(_database.ConnectionString).AddKind<Announce>();
        _host = builder.Build();
        await InContextAsync<LongContext, bool>(db => db.Database.EnsureCreatedAsync(Cancellation));
        await _host.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _host!.StopAsync(Cancellation);
        _host.Dispose();
        _database.Dispose();
    }

    [Fact]
    public async Task An_override_with_bool_runs_in_both_kinds_of_transaction()
    {
        await SaveAsync<LongContext>();
        await SaveInTransactionAsync<LongContext>();

        Assert.Equal(["long", "long"], await ReadAsync());
    }

    [Fact]
    public async Task A_context_that_overrides_both_is_accepted()
    {
        await SaveAsync<BothContext>();

        Assert.Equal(["long"], await ReadAsync());
    }

    [Fact]
    public async Task An_override_of_the_short_overload_alone_is_refused_instead_of_skipped()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(SaveAsync<ShortContext>);

        Assert.Contains(nameof(ShortContext), refused.Message, StringComparison.Ordinal);
        Assert.Contains("bool acceptAllChangesOnSuccess", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await ReadAsync());
        Assert.Empty((await _host!.Services.GetRequiredService<IJobQueue>().ListAsync(cancellationToken: Cancellation)).Entries);
    }

    [Fact]
    public async Task An_override_of_the_short_overload_alone_is_refused_below_a_class_that_overrides_the_other()
        => Assert.Contains(
            nameof(DerivedContext), (await Assert.ThrowsAsync<InvalidOperationException>(SaveAsync<DerivedContext>)).Message,
            StringComparison.Ordinal);

    [Fact]
    public async Task An_override_of_the_short_overload_runs_in_a_transaction_that_has_begun()
    {
        await SaveInTransactionAsync<ShortContext>();

        Assert.Equal(["short"], await ReadAsync());
    }

    [Fact]
    public async Task With_a_retrying_strategy_the_refusal_names_a_transaction_inside_it()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(SaveAsync<RetryingContext>);
        await Assert.ThrowsAsync<InvalidOperationException>(SaveInTransactionAsync<RetryingContext>);
        await InContextAsync<RetryingContext, EnqueueResult>(
            db => db.Database.CreateExecutionStrategy().ExecuteAsync(_ => SaveAndCommitAsync(db), Cancellation));

        Assert.Contains("CreateExecutionStrategy().ExecuteInTransactionAsync", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["short"], await ReadAsync());
    }

    private Task SaveAsync<TContext>()
        where TContext : NoteContext
        => InContextAsync<TContext, EnqueueResult>(db =>
        {
            db.Notes.Add(new Note { Id = Guid.CreateVersion7() });
            return db.SaveChangesAndEnqueueAsync(new Announce(), cancellationToken: Cancellation);
        });

    private Task SaveInTransactionAsync<TContext>()
        where TContext : NoteContext
        => InContextAsync<TContext, EnqueueResult>(SaveAndCommitAsync);

    private static async Task<EnqueueResult> SaveAndCommitAsync(NoteContext db)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(Cancellation);
        db.Notes.Add(new Note { Id = Guid.CreateVersion7() });
        var result = await db.SaveChangesAndEnqueueAsync(new Announce(), cancellationToken: Cancellation);
        await transaction.CommitAsync(Cancellation);
        return result;
    }

    private Task<List<string?>> ReadAsync()
        => InContextAsync<LongContext, List<string?>>(db => db.Notes.Select(note => note.ChangedBy).ToListAsync(Cancellation));

    private async Task<T> InContextAsync<TContext, T>(Func<TContext, Task<T>> call)
        where TContext : NoteContext
    {
        await using var scope = _host!.Services.CreateAsyncScope();
        return await call(scope.ServiceProvider.GetRequiredService<TContext>());
    }

    private void Add<TContext>(IServiceCollection services, Action<SqliteDbContextOptionsBuilder>? configure = null)
        where TContext : NoteContext
        => services.AddDbContext<TContext>(options => options.UseSqlite(_database.ConnectionString, configure));

    private sealed class RetryingStrategy(ExecutionStrategyDependencies dependencies) : ExecutionStrategy(dependencies, 1, TimeSpan.Zero)
    {
        protected override bool ShouldRetryOn(Exception? exception) => false;
    }

    [JobKind("test.announce")]
    public sealed record Announce;

    public sealed class Note
    {
        public Guid Id { get; init; }

        public string? ChangedBy { get; set; }
    }

    public abstract class NoteContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        protected void Sign(string name)
        {
            foreach (var note in ChangeTracker.Entries<Note>().Where(static entry => entry.State == EntityState.Added))
            {
                note.Entity.ChangedBy = name;
            }
        }
    }

    public class LongContext : NoteContext
    {
        public LongContext(DbContextOptions<LongContext> options)
            : base(options)
        {
        }

        protected LongContext(DbContextOptions options)
            : base(options)
        {
        }

        public override Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
        {
            Sign("long");
            return base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        }
    }

    public sealed class ShortContext(DbContextOptions<ShortContext> options) : NoteContext(options)
    {
        public override Task<int> SaveChangesAsync(CancellationToken cancellationToken = default)
        {
            Sign("short");
            return base.SaveChangesAsync(cancellationToken);
        }
    }

    public sealed class RetryingContext(DbContextOptions<RetryingContext> options) : NoteContext(options)
    {
        public override Task<int> SaveChangesAsync(CancellationToken cancellationToken = default)
        {
            Sign("short");
            return base.SaveChangesAsync(cancellationToken);
        }
    }

    public sealed class BothContext(DbContextOptions<BothContext> options) : NoteContext(options)
    {
        public override Task<int> SaveChangesAsync(CancellationToken cancellationToken = default)
        {
            Sign("short");
            return base.SaveChangesAsync(cancellationToken);
        }

        public override Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
        {
            Sign("long");
            return base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        }
    }

    public sealed class DerivedContext(DbContextOptions<DerivedContext> options) : LongContext(options)
    {
        public override Task<int> SaveChangesAsync(CancellationToken cancellationToken = default)
        {
            Sign("short");
            return base.SaveChangesAsync(cancellationToken);
        }
    }
}
