namespace TaskRecovery.WebSample;

/// <summary>The shop: queues, workers and jobs, a page with buttons, and the dashboard.</summary>
internal static class Shop
{
    public static async Task<int> RunAsync(ShopOptions options, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.WebHost.UseUrls($"http://localhost:{options.Port}");
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning);
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<Gateway>();
        if (options.HasCustomers)
        {
            builder.Services.AddHostedService<Customers>();
        }

        // A page that was opened under another name, which an attacker's name server gives this address, gets no answer.
        builder.Configuration["AllowedHosts"] = "localhost;127.0.0.1";
        AddTasks(builder.Services, options);
        AddDashboard(builder.Services);
        if (options.HasCustomers)
        {
            // After the engine, so that the store is ready.
            builder.Services.AddHostedService<Opening>();
        }

        var app = builder.Build();
        Shopfront.Map(app);
        app.MapTaskRecovery("/jobs").RequireAuthorization("staff");
        app.MapTaskRecoveryApi("/jobs/api").RequireAuthorization("staff");
        await app.RunAsync(cancellationToken);
        return 0;
    }

    /// <summary>The queues, workers and jobs.</summary>
    internal static void AddTasks(IServiceCollection services, ShopOptions options)
    {
        var tasks = services.AddTaskRecovery(tasks => tasks.NodeName = "shop")
            .AddQueue("mail", concurrency: 4)
            .AddQueue("pictures", concurrency: 2)
            .AddQueue("reports", concurrency: 1)
            .AddQueue(Opening.Newsletter, concurrency: 1)
            .AddWorker<ConfirmOrder, ConfirmOrderWorker>(configure: worker => worker.MaxAttempts = 4)
            .AddWorker<SendMail, SendMailWorker>(configure: worker => worker.MaxAttempts = 3)
            .AddWorker<ResizePicture, ResizePictureWorker>()
            .AddTaskHandler<SyncStock, SyncStockHandler>()
            .AddTaskHandler<WriteReport, WriteReportHandler>(configure: worker => worker.KeepRunLog = true)
            .AddKind<SendDigest>()
            .AddIntervalJob("stock-sync", TimeSpan.FromSeconds(15), new SyncStock("warehouse-1"))
            .AddIntervalJob("sales-report", TimeSpan.FromSeconds(90), new WriteReport(400), job => job with { Queue = "reports" })
            .AddCronJob("nightly-stock-sync", "0 3 * * *", new SyncStock("warehouse-2"))
            .AddIntervalJob("yearly-report", TimeSpan.FromDays(365), new WriteReport(2_000), job => job with { Queue = "reports" });
        _ = options.Postgres is { } connectionString ? tasks.UsePostgreSql(connectionString) : tasks.UseSqlite(
            $"Data Source={options.DatabasePath}");
    }

    // Everyone on this machine may do everything. A real application signs its users in and asks for a role here.
    private static void AddDashboard(IServiceCollection services)
    {
        services.AddAuthorization(authorization => authorization.AddPolicy("staff", policy => policy.RequireAssertion(static _ => true)));
        services.AddTaskRecoveryDashboard(dashboard =>
        {
            dashboard.DataPolicy = "staff";
            dashboard.OperatePolicy = "staff";
            dashboard.AllowedHosts.Add("localhost");
            dashboard.AllowedHosts.Add("127.0.0.1");
            dashboard.Redact = static text => text.Part == DashboardPart.UniqueKey ? text.Text : Mask.Mails(text.Text);
        });
    }
}
