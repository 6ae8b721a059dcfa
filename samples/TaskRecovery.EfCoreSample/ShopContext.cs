using Microsoft.EntityFrameworkCore;

namespace TaskRecovery.EfCoreSample;

/// <summary>The shop's tables.</summary>
internal sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    public DbSet<Order> Orders => Set<Order>();
}

/// <summary>An order. Its id is chosen before it is stored, so that the entry can name it.</summary>
internal sealed class Order
{
    public Guid Id { get; init; } = Guid.CreateVersion7();

    public required string Customer { get; init; }

    public bool Invoiced { get; set; }
}
