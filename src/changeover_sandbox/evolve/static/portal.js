// The partner portal's pages, drawn in the browser: tabs, tables, filter and export. No framework, no build step.
"use strict";

const RANGES = { "Last 30 days": [-30, 0], "Next 30 days": [0, 30], "Next 60 days": [0, 60], "Next 90 days": [0, 90] };
const FIELDS = ["Booking #", "Check-In", "Check-Out"];
const TABS = { 1: "Upcoming Bookings", 2: "All Bookings" };
const SPINNER_MS = 120;
const told = JSON.parse(document.body.dataset.told);

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// -- sign-in ----------------------------------------------------------------------------------------------------------

function drawSignIn() {
  const form = make(
    "form", { method: "post", action: "/s/login" },
    make("input", { name: "username", type: "text", placeholder: "Username", autocomplete: "username" }),
    make("input", { name: "pw", type: "password", placeholder: "Password" }),
    make("button", { type: "submit" }, "Log In"),
  );
  const error = told.error ? [make("p", { class: "error", role: "alert" }, told.error)] : [];
  document.body.replaceChildren(make("h1", {}, "Partner Portal"), ...error, form);
}

// -- bookings ---------------------------------------------------------------------------------------------------------

function localDay(offset) {
  const now = new Date();
  const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset);
  const two = (number) => String(number).padStart(2, "0");
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

class Table {
  constructor(tab) {
    this.tab = tab;
    this.range = null;
    this.list = make("div", { class: "list" });
    this.filter = make("div", { class: "panel", role: "dialog", "aria-label": "Filters", hidden: true });
    this.element = make(
      "section", { role: "tabpanel", "aria-label": TABS[tab], hidden: true },
      make("div", { class: "right" }, make("button", { type: "button", onclick: () => this.download() }, told.labels.export)),
      make("button", { type: "button", onclick: () => this.openFilter() }, told.labels.filter),
      this.filter,
      this.list,
    );
  }

  query() {
    const query = new URLSearchParams({ tab: this.tab });
    if (this.range) {
      query.set("from", localDay(this.range[0]));
      query.set("to", localDay(this.range[1]));
    }
    return query;
  }

  async load() {
    this.list.replaceChildren(make("div", { class: "spinner", role: "status" }, "Loading"));
    const [answer] = await Promise.all([
      fetch(`/s/api/bookings?${this.query()}`),
      new Promise((resolve) => setTimeout(resolve, SPINNER_MS)),
    ]);
    if (answer.status === 401) {
      location.assign("/s/login");
      return;
    }
    this.show(await answer.json());
  }

  show({ columns, rows }) {
    const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, make("span", {}, name.trim()))));
    const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell))));
    const none = rows.length ? [] : [make("p", {}, "No items to display.")];
    this.list.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)), ...none);
  }

  openFilter() {
    const ranges = make("div", { role: "listbox", hidden: true });
    const apply = make("button", { type: "button", disabled: true }, told.labels.apply);
    let chosen = null;
    for (const [name, range] of Object.entries(RANGES)) {
      const choose = () => {
        chosen = range;
        for (const option of ranges.children) option.setAttribute("aria-selected", String(option.textContent === name));
        apply.disabled = false;
      };
      ranges.append(make("div", { role: "option", "aria-selected": "false", onclick: choose }, name));
    }
    apply.addEventListener("click", () => {
      this.range = chosen;
      this.filter.hidden = true;
      this.load();
    });
    const choices = FIELDS.map((name) =>
      make("button", { type: "button", onclick: () => { ranges.hidden = name !== "Check-Out"; } }, name));
    this.filter.replaceChildren(make("h2", {}, "Filters"), ...choices, ranges, apply);
    this.filter.hidden = false;
  }

  download() {
    const link = make("a", { href: `/s/export?${this.query()}`, download: "" });
    document.body.append(link);
    link.click();
    link.remove();
  }
}

function drawBookings() {
  const tables = { 1: new Table(1), 2: new Table(2) };
  const asked = /[?&](tabset-[^=&]+)=(\d+)/.exec(location.search) || [null, "tabset-3f1c7", "1"];
  const choose = (tab) => {
    history.replaceState(null, "", `${location.pathname}?${asked[1]}=${tab}`);
    for (const number of [1, 2]) {
      tables[number].element.hidden = number !== tab;
      names[number].setAttribute("aria-selected", String(number === tab));
    }
  };
  const names = {};
  for (const number of [1, 2]) {
    names[number] = make("a", { role: "tab", href: "#", onclick: (event) => { event.preventDefault(); choose(number); } }, TABS[number]);
  }
  const list = make("div", { role: "tablist" }, names[1], " ", names[2]);
  document.body.replaceChildren(make("h1", {}, "Bookings"), list, tables[1].element, tables[2].element);
  choose(asked[2] === "2" ? 2 : 1);
  for (const number of [1, 2]) tables[number].load();
}

setTimeout(told.page === "sign-in" ? drawSignIn : drawBookings, SPINNER_MS);
