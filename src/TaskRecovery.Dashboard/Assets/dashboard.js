// Everything works without this script. With it, times are local, pages stay current, and keys work.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");
  const themes = ["system", "light", "dark"];
  const themeKey = "taskrecovery-theme";
  const stored = () => { try { return localStorage.getItem(themeKey) || "system"; } catch { return "system"; } };
  const applyTheme = () => { const theme = stored(); if (theme === "system") { delete root.dataset.theme; } else { root.dataset.theme = theme; } return theme; };
  applyTheme();

  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  let clock = 0; // The server's time minus this machine's.

  // Times
  const two = number => String(number).padStart(2, "0");
  const clockOf = (at, millis) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${millis ? "." + String(at.getMilliseconds()).padStart(3, "0") : ""}`;
  const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const dayOf = (at, now) => `${at.getDate()} ${months[at.getMonth()]}${at.getFullYear() === now?.getFullYear() ? "" : " " + at.getFullYear()}`;
  const sameDay = (a, b) => a.toDateString() === b.toDateString();
  const span = seconds => {
    const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const first = units.findIndex(([size]) => seconds >= size);
    if (first < 0) { return "0 s"; }
    const [size, name] = units[first];
    const whole = Math.floor(seconds / size);
    const next = units[first + 1];
    const rest = next && whole < 10 ? Math.floor(seconds % size / next[0]) : 0;
    return `${whole} ${name}${rest && size > 60 ? ` ${rest} ${next[1]}` : ""}`;
  };
  const say = {
    ago: (at, now) => { const s = (now - at) / 1000; return Math.abs(s) < 1 ? "now" : s > 0 ? `${span(s)} ago` : `in ${span(-s)}`; },
    since: (at, now) => span(Math.max(0, (now - at) / 1000)),
    clock: (at, now, millis) => (sameDay(at, now) ? "" : dayOf(at, now) + " ") + clockOf(at, millis),
    exact: (at, now) => say.clock(at, now, true),
    minute: at => clockOf(at).slice(0, 5),
    hour: (at, now) => `${dayOf(at, now)}, ${say.minute(at)}`,
    day: (at, now) => dayOf(new Date(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()), now), // A day of the store is one in UTC.
    full: at => `${dayOf(at)}, ${clockOf(at)}`,
  };
  const times = from => {
    const now = new Date(Date.now() + clock);
    for (const element of $$("[data-t]", from)) {
      const at = new Date(element.dateTime || element.dataset.at);
      const text = say[element.dataset.t](at, now);
      if (element.textContent !== text) { element.textContent = text; }
      if (element.dateTime && !element.title) { element.title = say.full(at); }
    }
  };
  const readClock = response => { const date = Date.parse(response.headers.get("X-Time") || ""); if (date) { clock = date - Date.now(); } };

  // An update changes what differs and nothing else, so that focus, selection, folds and half-typed text stay.
  // Kept is only what a reader changes: the fold of details, and the content of fields. A button's value is the server's.
  const isField = element => element.matches("input:not([type=hidden], [type=checkbox], [type=radio], [type=submit]), select, textarea");
  const keeps = (element, name) => name === "open" ? element.matches("details, dialog")
    : name === "value" ? isField(element)
    : name === "checked" && element.matches("input");
  // A field that is named "id" hides the id of its form.
  const idOf = node => node.nodeType === 1 ? node.getAttribute("id") : null;
  // A form or button that does something else is another one: it must not get the focus of the old one.
  const alike = (old, fresh) => old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName && !idOf(old) && !idOf(fresh)
    && (old.nodeType !== 1 || ["action", "name", "value"].every(name => !old.matches("form, button") || old.getAttribute(name) === fresh.getAttribute(name)));
  const morph = (old, fresh) => {
    if (old.isEqualNode(fresh)) { return; }
    if (old.nodeType !== 1) { if (old.nodeValue !== fresh.nodeValue) { old.nodeValue = fresh.nodeValue; } return; }
    for (const { name } of [...old.attributes]) { if (!fresh.hasAttribute(name) && !keeps(old, name)) { old.removeAttribute(name); } }
    for (const { name, value } of fresh.attributes) { if (old.getAttribute(name) !== value && !(keeps(old, name) && old.hasAttribute(name))) { old.setAttribute(name, value); } }
    const byId = new Map([...old.children].filter(idOf).map(child => [idOf(child), child]));
    let place = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const same = byId.get(idOf(next));
      if (same) {
        if (same === place) { place = place.nextSibling; } else { old.insertBefore(same, place); }
        morph(same, next);
      } else if (place && alike(place, next)) {
        const current = place;
        place = place.nextSibling;
        morph(current, next);
      } else {
        old.insertBefore(document.importNode(next, true), place);
      }
    }
    while (place) { const gone = place; place = place.nextSibling; gone.remove(); }
  };

  // Polling, only while the page is visible and nobody has left it
  let etag = null, busy = false, staleSince = null, ended = false;
  const setLive = (text, state) => { const live = $(".live"); if (live) { live.textContent = text; live.className = `live ${state}`; } };
  // In a roll-out, two versions answer in turn, also the load: repeated once a minute for each, and not while a form is in use.
  const isDue = script => { try { return Date.now() - (sessionStorage[script] || 0) > 60000 && !!(sessionStorage[script] = Date.now()); } catch { return false; } };
  const isInUse = () => document.activeElement?.matches("input, select, textarea") || $(".pause[open], .why[open], td.pick input:checked");
  const poll = async () => {
    const main = $("main");
    const every = Number(main.dataset.live);
    if (!every || busy || ended || document.hidden) { return; }
    busy = true;
    try {
      const response = await fetch(location.href, { headers: etag ? { "If-None-Match": etag } : {}, redirect: "manual", credentials: "same-origin", signal: AbortSignal.timeout(10000) });
      if ([0, 401, 403].includes(response.status)) { ended = true; setLive("signed out: reload the page", "stale"); return; } // 0: to a login
      if (response.status !== 304 && !response.ok) { throw new Error(); }
      readClock(response);
      if (response.status !== 304) {
        etag = response.headers.get("ETag");
        const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
        if ($("main", fresh) === null) { throw new Error(); }
        const script = $("script", fresh).getAttribute("src");
        if (script !== $("script").getAttribute("src")) {
          if (!isInUse() && isDue(script)) { location.reload(); return; }
          etag = null; // the next answer must be a page too
        }
        times(fresh);
        const current = $("tr.current")?.id;
        morph(main, $("main", fresh));
        morph($(".side nav"), $(".side nav", fresh));
        document.title = fresh.title;
        if (current) { document.getElementById(current)?.classList.add("current"); }
        count();
      }
      staleSince = null;
      setLive("live", "");
    } catch {
      staleSince ??= clockOf(new Date(Date.now() + clock));
      setLive(`stale since ${staleSince}`, "stale");
    } finally { busy = false; }
  };

  // Selection
  const picks = () => $$("td.pick input");
  const count = () => {
    const chosen = picks().filter(pick => pick.checked).length;
    for (const element of $$("[data-chosen]")) { element.textContent = chosen ? `${chosen} selected` : element.dataset.chosen; }
    for (const button of $$("[data-needs-pick]")) { button.disabled = chosen === 0; }
    const all = $("th.pick input");
    if (all) { all.checked = chosen > 0 && chosen === picks().length; all.indeterminate = chosen > 0 && chosen < picks().length; }
  };

  // Keys
  let going = 0;
  const rows = () => $$("main tbody tr[id]");
  const move = step => {
    const all = rows();
    if (!all.length) { return; }
    const at = all.findIndex(row => row.classList.contains("current"));
    all[at]?.classList.remove("current");
    const row = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    row.classList.add("current");
    ($("a", row) || row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const press = name => { const button = $(`[data-act="${name}"]:not(:disabled)`); if (button) { button.focus(); button.click(); } };
  const onKey = event => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "checkbox") { return; }
    const key = event.key;
    if (going && Date.now() - going < 1500) { going = 0; const link = $(`[data-go="${CSS.escape(key)}"]`); if (link) { link.click(); } return; }
    going = 0;
    if (key === "g") { going = Date.now(); }
    else if (key === "?") { $("#keys")?.showModal(); }
    else if (key === "/") { event.preventDefault(); $("#find")?.focus(); }
    else if (key === "j") { move(1); }
    else if (key === "k") { move(-1); }
    else if (key === "x") { const pick = $("tr.current td.pick input"); if (pick) { pick.click(); } }
    else if (key === "r") { press("retry"); }
    else if (key === "c") { press("cancel"); }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const served = Date.parse(performance.getEntriesByType("navigation")[0]?.serverTiming?.find(entry => entry.name === "now")?.description);
    if (served && Math.abs(served - Date.now()) > 5000) { clock = served - Date.now(); }
    times(document);
    setInterval(() => { if (!document.hidden) { times(document); } }, 1000);
    count();

    // On a phone the navigation is one line that scrolls.
    const here = $(".side nav [aria-current]");
    if (here) { const nav = here.closest("nav"); nav.scrollLeft += here.getBoundingClientRect().left - nav.getBoundingClientRect().left - (nav.clientWidth - here.offsetWidth) / 2; }

    const theme = $(".theme");
    const nameTheme = () => { if (theme) { theme.textContent = `Theme: ${stored()}`; } };
    nameTheme();
    theme?.addEventListener("click", () => {
      try { localStorage.setItem(themeKey, themes[(themes.indexOf(stored()) + 1) % themes.length]); } catch { return; }
      applyTheme();
      nameTheme();
    });

    document.addEventListener("keydown", onKey);
    document.addEventListener("keydown", event => { const why = event.key === "Escape" && event.target.closest(".why[open]"); if (why) { why.open = false; $("summary", why).focus(); } });
    document.addEventListener("toggle", event => { if (event.target.matches(".why[open]")) { $("input", event.target).focus(); } }, true);
    document.addEventListener("change", event => {
      if (event.target.matches("th.pick input")) { for (const pick of picks()) { pick.checked = event.target.checked; } }
      if (event.target.matches(".pick input")) { count(); }
    });
    document.addEventListener("click", event => {
      for (const why of $$(".why[open]")) { if (!why.closest("form").contains(event.target)) { why.open = false; } }
      const target = event.target.closest("[data-copy], [data-close]");
      if (target?.dataset.copy) { navigator.clipboard?.writeText(target.dataset.copy).then(() => { target.textContent = "copied"; setTimeout(() => { target.textContent = "copy"; }, 1500); }); }
      if (target && "close" in target.dataset) { (target.closest("dialog") ? target.closest("dialog").close() : target.closest(".toasts").remove()); }
    });
    document.addEventListener("submit", event => { if (event.target.method === "post") { setTimeout(() => { for (const button of $$("button", event.target)) { button.disabled = true; } }); } });
    addEventListener("pageshow", event => { if (event.persisted) { for (const button of $$("form button:not([data-needs-pick])")) { button.disabled = false; } count(); poll(); } });

    // A note about an action is shown once: not again after a reload.
    if (new URLSearchParams(location.search).has("did")) {
      const url = new URL(location.href);
      for (const name of ["did", "n", "undo", "of", "name", "why", "end"]) { url.searchParams.delete(name); }
      history.replaceState(null, "", url);
    }

    const every = Number($("main")?.dataset.live);
    if (every) { setLive("live", ""); setInterval(poll, every); document.addEventListener("visibilitychange", poll); }
  });
})();
