namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>An application that the tests of one class share. They only read from it: a test that acts, counts
/// questions or moves the time starts one of its own.</summary>
public abstract class SharedShop : IAsyncLifetime
{
    private readonly FakeSystem _system;

    private protected SharedShop(FakeSystem system) => _system = system;

    internal DashboardApp App { get; private set; } = null!;

    public async ValueTask InitializeAsync() => App = await DashboardApp.StartAsync(_system, new AppSetup { HasApi = true });

    public ValueTask DisposeAsync() => App.DisposeAsync();
}

/// <summary>The shop with one of every thing.</summary>
public sealed class OpenShop() : SharedShop(Shop.Open());

/// <summary>A shop in which nothing has happened.</summary>
public sealed class EmptyShop() : SharedShop(Shop.Empty());

/// <summary>The shop with an attack in every stored text.</summary>
public sealed class HostileShop() : SharedShop(Shop.Open(Texts.Hostile));
