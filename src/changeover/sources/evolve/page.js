// Sees a page as a person does: what is visible, by its words. Gives back elements and changes nothing on the page.
"use strict";

const plain = (text) => (text || "").replace(/\s+/g, " ").trim().toLowerCase();

// Components may keep their parts in open shadow roots.
function* everything(root) {
  for (const element of root.querySelectorAll("*")) {
    yield element;
    if (element.shadowRoot) yield* everything(element.shadowRoot);
  }
}

function visible(element) {
  const shown = element.tagName === "OPTION" ? element.closest("select") || element : element;
  return shown.getClientRects().length > 0 && getComputedStyle(shown).visibility !== "hidden";
}

function names(element) {
  const own = [element.textContent, element.getAttribute("aria-label"), element.title];
  return element.tagName === "INPUT" ? [...own, element.value] : own;
}

const TABLE = "table, [role=table], [role=grid], [role=treegrid]";
const OFF = ":disabled, [aria-disabled=true]";

const questions = {
  // Visible elements called exactly this, outside tables and not switched off; of nested ones the innermost.
  controls(wanted) {
    const text = plain(wanted);
    const fits = [...everything(document)].filter(
      (each) => names(each).some((name) => name && name.length < 300 && plain(name) === text)
        && visible(each) && !each.closest(TABLE) && !each.closest(OFF),
    );
    return fits.filter((each) => !fits.some((other) => other !== each && each.contains(other)));
  },

  // The first form with at least two fields to fill: its user, its password, what sends it or null, and whether it was
  // marked before; null where there is none.
  form() {
    for (const form of everything(document)) {
      if (form.tagName !== "FORM" || !visible(form)) continue;
      const others = ["hidden", "submit", "button", "checkbox", "radio", "image", "reset"];
      const fields = [...everything(form)].filter(
        (each) => each.tagName === "INPUT" && !others.includes(each.type) && visible(each));
      if (fields.length < 2 || !fields.some((each) => each.type === "password")) continue;
      const buttons = [...everything(form)].filter(
        (each) => (each.tagName === "BUTTON" || ["submit", "image"].includes(each.type)) && visible(each));
      const sends = buttons.find((each) => each.type === "submit") || buttons[0] || null;
      return [fields[0], fields[1], sends, Boolean(form.seenBefore)];
    }
    return null;
  },

  // How the visible table stands: whether its column can be read, whether something is loading, whether rows that were
  // marked before are still there, and a number that changes with its text.
  table(column) {
    const text = plain(column);
    const found = { column: false, loading: false, marked: false, print: 0 };
    for (const each of everything(document)) {
      if (each.matches("[class*=spinner i], [role=progressbar], [aria-busy=true]")) found.loading ||= visible(each);
      if (!found.column && (each.childElementCount === 0 || each.matches("th, [role=columnheader]"))) {
        found.column = names(each).some((name) => plain(name) === text) && visible(each);
      }
      if (each.matches("tr, [role=row]") && visible(each)) {
        found.marked ||= Boolean(each.seenBefore);
        for (const letter of each.textContent) found.print = (found.print * 31 + letter.codePointAt(0)) | 0;
      }
    }
    return found;
  },

  // Marks the forms and rows that are visible now.
  mark() {
    for (const each of everything(document)) {
      if (each.matches("form, tr, [role=row]") && visible(each)) each.seenBefore = true;
    }
  },
};

return questions[arguments[0]](...Array.from(arguments).slice(1));
