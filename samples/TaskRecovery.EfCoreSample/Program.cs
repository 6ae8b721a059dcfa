using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using TaskRecovery;
using TaskRecovery.EfCoreSample;

// An outbox without an outbox table: an order and the entry that sends its invoice are stored in one transaction, and the worker stores
// "invoiced" and its outcome in one transaction. Both are in one SQLite file; on PostgreSQL only the two Use... lines change.
var connectionString = $"Data Source={args.FirstOrDefault("shop.db")}";
var builder = Host.CreateApplicationBuilder();
builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
builder.Services.AddDbContext<ShopContext>(options => options.UseSqlite(connectionString));
builder.Services.AddTaskRecovery()
    .UseSqlite(connectionString)
    .AddWorker<SendInvoice, SendInvoiceWorker>();
using var host = builder.Build();
await using (var scope = host.Services.CreateAsyncScope())
{
    await scope.ServiceProvider.GetRequiredService<ShopContext>().Database.EnsureCreatedAsync();
}

await host.StartAsync();

await using (var scope = host.Services.CreateAsyncScope())
{
    var db = scope.ServiceProvider.GetRequiredService<ShopContext>();
    var order = new Order { Customer = "ada@example.org" };
    db.Orders.Add(order);
    var result = await db.SaveChangesAndEnqueueAsync(new SendInvoice(order.Id));
    Console.WriteLine($"Order {order.Id} and entry {result.Id} are stored.");
}

await host.WaitForShutdownAsync();
