/**
 * What the inspector is built from: parties, bytes, pieces and findings, each drawn as an element.
 *
 * The scripts of this folder are one ES module: page.py joins them in the order elements, inspector, kernel.
 */

const SIGNS = { must: "✗", should: "!", note: "•" };
const PER_ROW = 8; // bytes
const AS_RECORDED = "nobody answers anew: the next hop's copy and later answers stay as recorded.";
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  client: ["rect", { x: 1, y: 1, width: 18, height: 10, rx: 5 }],
  proxy: ["polygon", { points: "1,6 5,1 15,1 19,6 15,11 5,11" }],
  server: ["rect", { x: 1, y: 1, width: 18, height: 10 }],
};

/** Make an element with attributes and children; a child that is a string becomes text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== ""));
  return element;
}

function shape(role) {
  const picture = document.createElementNS(SVG, "svg");
  const [name, attributes] = SHAPES[role] ?? SHAPES.server;
  const inside = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) inside.setAttribute(key, value);
  for (const [key, value] of Object.entries({
    class: `lk-shape lk-${role}`,
    viewBox: "0 0 20 12",
    "aria-hidden": "true",
  })) {
    picture.setAttribute(key, value);
  }
  picture.append(inside);
  return picture;
}

const hex = (value) => value.toString(16).padStart(2, "0");
const printed = (value) => value > 0x20 && value < 0x7f;
const shown = (value) => (printed(value) ? String.fromCharCode(value) : value === 0x20 ? "␣" : "·");
const range = (start, end) => (end - start === 1 ? `byte ${start}` : `bytes ${start} to ${end - 1}`);
const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** Return the pieces of a step, each with those inside it behind it. */
function flat(pieces, depth = 0) {
  return pieces.flatMap((piece) => [{ ...piece, depth }, ...flat(piece.parts ?? [], depth + 1)]);
}

/** Say in words what a step is. */
function told(step) {
  return step.from ? `${step.from} to ${step.to}${step.through ? `, ${step.through}` : ""}: ${step.name}` : step.name;
}

/** Draw how a party stands, and what lies before it unread. */
function drawParty(party, standing) {
  const unread = (standing?.unread ?? []).map(({ at, why }) =>
    make(
      "p",
      { class: "lk-unread" },
      make("strong", {}, `${plural(at[3] - at[2], "byte")} unread`),
      ` (${range(at[2], at[3])}): ${why}`,
    ),
  );
  return make(
    "li",
    { class: `lk-party lk-${party.role}` },
    shape(party.role),
    make(
      "div",
      {},
      make("p", {}, make("strong", {}, party.name), standing?.state ? ` · ${standing.state}` : ""),
      ...unread,
    ),
  );
}

/**
 * Draw the bytes of a step in lines, each as a number and as a character; a byte that ends a piece is marked.
 *
 * @param {object} step
 * @param {Map<number, number>} typed  offsets whose byte was typed over, and the new one
 */
function drawLines(step, typed) {
  const first = step.at[0][2];
  const bytes = (step.data.match(/../g) ?? []).map((pair, n) => typed.get(first + n) ?? parseInt(pair, 16));
  const leaves = flat(step.pieces).filter((piece) => !piece.parts);
  const edges = new Set(leaves.map((piece) => piece.end - 1));
  const lines = [];
  for (let start = 0; start < bytes.length; start += PER_ROW) {
    const here = bytes.slice(start, start + PER_ROW).map((value, n) => ({ value, offset: first + start + n }));
    const kind = ({ offset }) => (typed.has(offset) ? " lk-edited" : "") + (edges.has(offset) ? " lk-edge" : "");
    const cells = here.map((byte) => {
      const words = `byte ${byte.offset}, ${hex(byte.value)}${printed(byte.value) ? `, ${shown(byte.value)}` : ""}`;
      const names = { role: "gridcell", tabindex: -1, "aria-label": words };
      return make("span", { class: `lk-cell${kind(byte)}`, "data-at": byte.offset, ...names }, hex(byte.value));
    });
    const texts = here.map((byte) =>
      make("span", { class: `lk-text${kind(byte)}`, "data-at": byte.offset }, shown(byte.value)),
    );
    lines.push(
      make(
        "div",
        { class: "lk-line", role: "row" },
        make("span", { class: "lk-offset", "aria-hidden": "true" }, String(first + start)),
        make("span", { class: "lk-cells", role: "presentation" }, ...cells),
        make("span", { class: "lk-texts", "aria-hidden": "true" }, ...texts),
      ),
    );
  }
  return lines;
}

/** Draw a piece of a message; `on` where it is the one that is shown. */
function drawPiece(piece, on) {
  const bits = (piece.bits ?? []).map((bit) =>
    make(
      "p",
      { class: "lk-bits" },
      make("code", {}, bit.pattern),
      make("span", {}, make("strong", {}, bit.name), ` ${bit.meaning}`),
    ),
  );
  return make(
    "li",
    {
      role: "option",
      class: `lk-piece lk-depth-${piece.depth}${on ? " lk-on" : ""}`,
      tabindex: on ? 0 : -1,
      "aria-selected": String(on),
      "data-start": piece.start,
      "data-end": piece.end,
    },
    make(
      "p",
      {},
      make("strong", {}, piece.label),
      piece.meaning ? ` ${piece.meaning}` : "",
      piece.clause ? make("span", { class: "lk-clause" }, ` ${piece.clause}`) : "",
    ),
    ...bits,
    piece.fault ? make("p", { class: "lk-must" }, `✗ ${piece.fault}`) : "",
  );
}

/** Draw a finding; pressing its rule does `act`. */
function drawFinding(finding, act) {
  const words = `${SIGNS[finding.level]} ${finding.word} ${finding.rule}`;
  const made = make("button", { type: "button", class: `lk-told lk-${finding.level}` }, words);
  made.addEventListener("click", act);
  const seen = make("p", {}, make("strong", {}, `${finding.party}: ${finding.seen}`), ` · ${finding.where}`);
  const mend = finding.mend ? make("p", {}, make("strong", {}, "to mend: "), finding.mend) : "";
  return make("li", {}, made, make("div", {}, seen, make("p", {}, finding.asks), mend));
}

/** Make a button whose sign is explained by `words`. */
function button(sign, words) {
  return make("button", { type: "button", class: "lk-button", "aria-label": words, title: words }, sign);
}

/** Make a field for one byte. */
function field(name, length, words) {
  const plain = { autocomplete: "off", spellcheck: "false" };
  return make("input", { class: name, maxlength: length, size: length, "aria-label": words, ...plain });
}

/**
 * Put an empty inspector into `root` and return its parts.
 *
 * @param {HTMLElement} root
 * @param {string} why  why nothing can be edited; "" where it can
 */
function skeleton(root, why) {
  const part = {
    title: make("h2", { class: "lk-title" }),
    finding: make("p", { class: "lk-finding" }),
    rewind: button("|◀", "rewind to the first step"),
    back: button("◀ back", "one step back"),
    next: button("next ▶", "one step on"),
    last: button("▶|", "to the last step"),
    now: make("p", { class: "lk-now", "aria-live": "polite" }),
    parties: make("ul", { class: "lk-parties", "aria-label": "the parties at this step" }),
    diagram: make("div", { class: "lk-pane lk-diagram" }),
    where: make("h3", { class: "lk-where" }),
    grid: make("div", { class: "lk-grid", role: "grid" }),
    byte: make("p"),
    hexField: field("lk-hex", 2, "byte, hexadecimal"),
    charField: field("lk-char", 1, "byte, as a character"),
    undo: button("undo", "take back the last edit"),
    reset: button("reset", "take back all edits"),
    edited: make("p", { class: "lk-warn", hidden: true }),
    what: make("h3", { class: "lk-what" }),
    means: make("p", { class: "lk-means" }),
    pieces: make("ul", { class: "lk-pieces", role: "listbox", "aria-label": "pieces of this message" }),
    status: make("p", { class: "lk-status", role: "status" }),
    findings: make("div", { class: "lk-findings" }),
  };
  const fields = [make("label", {}, "hex ", part.hexField), make("label", {}, "as text ", part.charField)];
  const editing = why ? [make("p", {}, why)] : [part.byte, ...fields, part.undo, part.reset, part.edited];
  const editor = make("div", { class: "lk-editor" }, ...editing);
  const steps = [part.rewind, part.back, part.next, part.last, part.now];
  root.classList.add("lk");
  root.setAttribute("role", "region");
  root.replaceChildren(
    make("header", {}, part.title, part.finding),
    make("div", { class: "lk-steps", role: "group", "aria-label": "steps" }, ...steps),
    part.parties,
    make(
      "div",
      { class: "lk-panes" },
      part.diagram,
      make("div", { class: "lk-pane" }, part.where, part.grid, editor),
      make("div", { class: "lk-pane" }, part.what, part.means, part.pieces),
    ),
    part.status,
    part.findings,
  );
  return part;
}
