using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>The icons: drawn once at the end of a page, used by name.</summary>
internal static class Icon
{
    /// <summary>An icon that only decorates the word beside it.</summary>
    public static Markup Of(string name) => Html($"<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-{name}\"/></svg>");

    /// <summary>The drawings, on a grid of 16.</summary>
    public static Markup Sprite() => Html($"""
        <svg width="0" height="0" class="hidden" aria-hidden="true">
        <symbol id="i-waiting" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="M8 4.6V8l2.2 1.6"/></symbol>
        <symbol id="i-later" viewBox="0 0 16 16"><rect x="2.2" y="3.2" width="11.6" height="10.6" rx="2"/><path
            d="M2.2 6.6h11.6M5.4 1.8v2.6M10.6 1.8v2.6"/></symbol>
        <symbol id="i-running" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="M6.8 5.6 10.4 8l-3.6 2.4z"/></symbol>
        <symbol id="i-completed" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="m5.4 8.2 1.9 1.9 3.4-4"/></symbol>
        <symbol id="i-failed" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="m6 6 4 4m0-4-4 4"/></symbol>
        <symbol id="i-cancelled" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="m3.8 12.2 8.4-8.4"/></symbol>
        <symbol id="i-lost" viewBox="0 0 16 16"><path d="M9 1.6 3 9h4.4L7 14.4 13 7H8.6z"/></symbol>
        <symbol id="i-warn" viewBox="0 0 16 16"><path d="M8 2.2 14.4 13.4H1.6zM8 6.6v3M8 11.6v.1"/></symbol>
        <symbol id="i-overview" viewBox="0 0 16 16"><path d="M2.2 13.8V8.6M6 13.8V2.6M9.9 13.8V6.4M13.8 13.8v-3"/></symbol>
        <symbol id="i-queues" viewBox="0 0 16 16"><path d="M2.4 4h11.2M2.4 8h11.2M2.4 12h7"/></symbol>
        <symbol id="i-entries" viewBox="0 0 16 16"><rect x="2.2" y="2.2" width="11.6" height="11.6" rx="2"/><path
            d="M5 6h6M5 8.4h6M5 10.8h3"/></symbol>
        <symbol id="i-kinds" viewBox="0 0 16 16"><path d="M2.2 7.4V3.2a1 1 0 0 1 1-1h4.2l6.4 6.4-5.2 5.2zM5.2 5.2v.1"/></symbol>
        <symbol id="i-jobs" viewBox="0 0 16 16"><path d="M13.6 8A5.6 5.6 0 1 1 11.4 3.6M13.4 1.8v3h-3M8 5.2V8l1.8 1.2"/></symbol>
        <symbol id="i-tasks" viewBox="0 0 16 16"><path d="m2 4.4 1.2 1.2 2-2.4M2 11l1.2 1.2 2-2.4M8 4.6h6M8 11.2h6"/></symbol>
        <symbol id="i-nodes" viewBox="0 0 16 16"><rect x="2.2" y="2.4" width="11.6" height="4.6" rx="1.4"/><rect x="2.2" y="9" width="11.6"
            height="4.6" rx="1.4"/><path d="M4.8 4.7v.1M4.8 11.3v.1"/></symbol>
        <symbol id="i-events" viewBox="0 0 16 16"><path d="M1.8 8h2.6l1.8-4.6 3.2 9.2L11.2 8h3"/></symbol>
        <symbol id="i-operations" viewBox="0 0 16
            16"><path d="m8 1.8 6 3.2-6 3.2L2 5zM2.2 8.2 8 11.2l5.8-3M2.2 11.2 8 14.2l5.8-3"/></symbol>
        <symbol id="i-about" viewBox="0 0 16 16"><circle cx="8" cy="8" r="6"/><path d="M8 7.4v3.4M8 5.2v.1"/></symbol>
        <symbol id="i-search" viewBox="0 0 16 16"><circle cx="7" cy="7" r="4.6"/><path d="m10.4 10.4 3.4 3.4"/></symbol>
        <symbol id="i-stored" viewBox="0 0 16 16"><path
            d="M8 2v7.4M5 6.6l3 3 3-3M2.4 11v1.6a1.2 1.2 0 0 0 1.2 1.2h8.8a1.2 1.2 0 0 0 1.2-1.2V11"/></symbol>
        <symbol id="i-step" viewBox="0 0 16 16"><circle cx="8" cy="8" r="2.4" fill="currentColor"/></symbol>
        <symbol id="i-retry" viewBox="0 0 16 16"><path d="M2.4 8a5.6 5.6 0 1 0 2.2-4.4M2.6 1.8v3h3"/></symbol>
        <symbol id="i-pause" viewBox="0 0 16 16"><path d="M5.6 3.4v9.2M10.4 3.4v9.2"/></symbol>
        <symbol id="i-lock" viewBox="0 0 16 16"><rect x="3" y="7" width="10" height="6.8" rx="1.6"/><path
            d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2"/></symbol>
        </svg>
        """);
}
