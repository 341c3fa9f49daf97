/**
 * The inspector: diagram, bytes and explanation of one exchange, linked, in a notebook and on a page alike.
 *
 * Everything shown stands in one document (labkit/render/inspected.py). `mount` draws it into an element; it knows
 * nothing of kernels. What is typed over goes to the `edit` it is given, and comes back as a new document by
 * `update`. What crossed the wire only ever becomes text here, never markup; the one thing taken as markup is the
 * picture, which the lab draws and escapes itself.
 *
 * @typedef {[number, "server"|"client", number, number]} Place  hop, way, first byte, byte after the last
 * @typedef {{step: number, start: number, end: number}} Spot    a step, and the bytes of it that are meant
 * @typedef {[number, string, number, number]} Edit              hop, way, offset, new value
 */

/**
 * Draw an inspector into `root`.
 *
 * @param {HTMLElement} root      an empty element
 * @param {object} first          the document
 * @param {{edit?: (edits: Edit[]) => void, why?: string}} host  what takes edits, or why there is none
 * @returns {{update: (now: object) => void, say: (text: string, lost?: boolean) => void, lose: (text: string) => void}}
 */
export function mount(root, first, host = {}) {
  let doc = first;
  /** @type {Spot} */ let fixed = whole(0);
  /** @type {Spot|null} */ let pointed = null;
  /** @type {Edit[]} */ let edits = doc.edits.map((edit) => edit.slice(0, 4));
  let unfolded = fixed; // the bytes whose line is unfolded among the pieces
  let drawn = -1; // the step whose bytes and pieces are on the page
  let timer = 0;
  const part = build();

  function build() {
    const made = skeleton(root, host.edit ? "" : (host.why ?? ""));
    made.back.addEventListener("click", () => go(fixed.step - 1));
    made.next.addEventListener("click", () => go(fixed.step + 1));
    made.rewind.addEventListener("click", () => go(0));
    made.last.addEventListener("click", () => go(doc.steps.length - 1));
    made.undo.addEventListener("click", () => ask(edits.slice(0, -1)));
    made.reset.addEventListener("click", () => ask([]));
    made.hexField.addEventListener("input", () => {
      if (/^[0-9a-f]{1,2}$/i.test(made.hexField.value)) type(parseInt(made.hexField.value, 16));
    });
    made.charField.addEventListener("input", () => {
      const code = made.charField.value.charCodeAt(0);
      if (code < 0x80) type(code);
    });
    for (const field of [made.hexField, made.charField]) field.addEventListener("keydown", fieldKey);
    root.addEventListener("keydown", (event) => {
      // A key typed here is none of the notebook's, where "x" cuts the cell; Ctrl+S and Shift+Enter still are.
      if (!event.ctrlKey && !event.metaKey && !event.altKey && !(event.shiftKey && event.key === "Enter"))
        event.stopPropagation();
    });
    made.diagram.addEventListener("pointerover", (event) => point(spotOf(event.target)));
    made.diagram.addEventListener("click", (event) => choose(spotOf(event.target)));
    made.diagram.addEventListener("keydown", (event) =>
      move(event, { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }, fixed.step, doc.steps.length, (step) => {
        go(step);
        rowOf(step)?.focus({ preventScroll: true });
      }),
    );
    made.grid.addEventListener("pointerover", (event) => point(byteAt(event.target)));
    made.grid.addEventListener("click", (event) => {
      const spot = byteAt(event.target);
      if (spot) chooseByte(spot.start);
    });
    made.grid.addEventListener("keydown", gridKey);
    made.pieces.addEventListener("pointerover", (event) => point(pieceAt(event.target)));
    made.pieces.addEventListener("click", (event) => {
      choose(pieceAt(event.target));
      made.pieces.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
    });
    made.pieces.addEventListener("keydown", pieceKey);
    for (const pane of [made.diagram, made.grid, made.pieces]) pane.addEventListener("pointerleave", () => point(null));
    return made;
  }

  // Which bytes an element stands for.

  /** @returns {Spot} */
  function whole(step) {
    const at = doc.steps[step]?.at[0];
    return { step, start: at ? at[2] : 0, end: at ? at[3] : 0 };
  }

  function spotOf(target) {
    const row = target.closest("g[data-row]");
    const steps = row ? doc.steps.map((_, n) => n).filter((n) => doc.steps[n].row === Number(row.dataset.row)) : [];
    if (!steps.length) return null;
    const line = target.closest("g[data-start]");
    if (!line) return whole(steps.includes(fixed.step) ? fixed.step : steps[0]);
    const [start, end] = [Number(line.dataset.start), Number(line.dataset.end)];
    const step = steps.find((n) => doc.steps[n].at[0][2] <= start && end <= doc.steps[n].at[0][3]) ?? steps[0];
    return { step, start, end };
  }

  function byteAt(target) {
    const cell = target.closest("[data-at]");
    return cell ? { step: drawn, start: Number(cell.dataset.at), end: Number(cell.dataset.at) + 1 } : null;
  }

  function pieceAt(target) {
    const item = target.closest("[data-start]");
    return item ? { step: drawn, start: Number(item.dataset.start), end: Number(item.dataset.end) } : null;
  }

  function rowOf(step) {
    return part.diagram.querySelector(`g[data-row="${doc.steps[step]?.row}"]`);
  }

  // Pointing is for a moment, choosing stays.

  function point(spot) {
    if (JSON.stringify(spot) === JSON.stringify(pointed)) return;
    pointed = spot;
    show();
  }

  function choose(spot) {
    if (!spot || !doc.steps.length) return;
    [fixed, pointed] = [spot, null];
    show(true);
  }

  function go(step) {
    choose(whole(Math.max(0, Math.min(step, doc.steps.length - 1))));
  }

  function chooseByte(offset) {
    choose({ step: fixed.step === drawn ? fixed.step : drawn, start: offset, end: offset + 1 });
    part.grid.querySelector(`[data-at="${offset}"]`)?.focus({ preventScroll: true });
  }

  /** Move along a line of things with the keys that `keys` gives a stride to, and with Home and End. */
  function move(event, keys, now, size, act) {
    const strides = { ...keys, Home: -size, End: size };
    if (!(event.key in strides) || event.ctrlKey || event.metaKey || event.altKey) return false;
    event.preventDefault();
    event.stopPropagation();
    act(Math.max(0, Math.min(now + strides[event.key], size - 1)));
    return true;
  }

  function gridKey(event) {
    const { start, size } = shownBytes();
    const now = fixed.start - start;
    if (
      move(event, { ArrowRight: 1, ArrowLeft: -1, ArrowDown: PER_ROW, ArrowUp: -PER_ROW }, now, size, (at) =>
        chooseByte(start + at),
      )
    )
      return;
    if (!host.edit || part.hexField.disabled || event.ctrlKey || event.metaKey || event.altKey) return;
    const digit = /^[0-9a-f]$/i.test(event.key);
    if (!digit && event.key !== "Enter") return;
    event.preventDefault();
    part.hexField.focus();
    if (!digit) return part.hexField.select();
    part.hexField.value = event.key;
    part.hexField.dispatchEvent(new Event("input"));
  }

  function fieldKey(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") {
      send();
      chooseByte(fixed.start + 1 < shownBytes().start + shownBytes().size ? fixed.start + 1 : fixed.start);
    } else chooseByte(fixed.start);
  }

  function pieceKey(event) {
    const items = [...part.pieces.children].filter((item) => item.dataset.start);
    const now = items.findIndex((item) => item.tabIndex === 0);
    move(event, { ArrowDown: 1, ArrowUp: -1 }, now, items.length, (at) => {
      choose(pieceAt(items[at]));
      part.pieces.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
    });
  }

  function shownBytes() {
    const step = doc.steps[fixed.step];
    return { start: step?.at[0]?.[2] ?? 0, size: (step?.data.length ?? 0) / 2 };
  }

  // Editing: what was typed is shown at once, the verdict when it comes.

  function type(value) {
    const step = doc.steps[fixed.step];
    if (!host.edit || !step?.at.length || fixed.end - fixed.start !== 1) return;
    const [hop, way] = step.at[0];
    edits = edits.filter((edit) => !(edit[0] === hop && edit[1] === way && edit[2] === fixed.start));
    edits.push([hop, way, fixed.start, value]);
    drawBytes();
    mark();
    clearTimeout(timer);
    timer = setTimeout(send, 120);
    say("checking …");
  }

  function ask(wanted) {
    edits = wanted;
    timer = 1;
    send();
    drawBytes();
    mark();
  }

  function send() {
    if (!timer) return;
    clearTimeout(timer);
    timer = 0;
    say("checking …");
    host.edit(edits);
  }

  // Drawing.

  /** Show what is pointed at, or else what is chosen; `follow` brings it into view. */
  function show(follow = false) {
    const spot = pointed ?? fixed;
    if (!part.pieces.matches(":hover") || !pointed) unfolded = spot; // what the pointer is on must not move away
    if (spot.step !== drawn) {
      drawn = spot.step;
      drawStep();
    }
    drawPieces();
    mark();
    if (follow)
      for (const [pane, chosen] of [
        [part.diagram, rowOf(drawn)],
        [part.grid, part.grid.querySelector(".lk-on")],
        [part.pieces, part.pieces.querySelector(".lk-on")],
      ])
        reveal(pane, chosen);
  }

  function reveal(pane, chosen) {
    if (!chosen) return;
    const [outer, inner] = [pane.getBoundingClientRect(), chosen.getBoundingClientRect()];
    if (inner.top < outer.top) pane.scrollTop -= outer.top - inner.top + 8;
    else if (inner.bottom > outer.bottom)
      pane.scrollTop += Math.min(inner.bottom - outer.bottom + 8, inner.top - outer.top);
  }

  function drawAll() {
    root.setAttribute("aria-label", `inspector: ${doc.title}`);
    part.title.textContent = doc.title;
    const worst = doc.findings.find((finding) => finding.level !== "note");
    part.finding.className = `lk-finding ${worst ? `lk-${worst.level}` : ""}`;
    part.finding.textContent = worst
      ? `${SIGNS[worst.level]} ${worst.party}: ${worst.seen} (${worst.rule})`
      : `✓ ${doc.summary}`;
    part.diagram.innerHTML = doc.svg; // drawn and escaped by the lab
    const picture = part.diagram.firstElementChild;
    picture?.setAttribute("role", "listbox");
    picture?.setAttribute("aria-label", `messages in the order of cause. ${doc.description}`);
    for (const row of part.diagram.querySelectorAll("g[data-row]")) {
      const steps = doc.steps.filter((step) => step.row === Number(row.dataset.row));
      if (!steps.length) {
        row.setAttribute("role", "presentation");
        continue;
      }
      row.setAttribute("role", "option");
      row.setAttribute(
        "aria-label",
        steps.length > 1 && steps[0].name !== steps[1].name
          ? `${steps[0].name} and ${steps.length - 1} more`
          : told(steps[0]),
      );
      row.classList.add("lk-row");
    }
    drawFindings();
    drawn = -1;
    show();
  }

  function drawStep() {
    const step = doc.steps[drawn];
    part.now.textContent = step ? `step ${drawn + 1} of ${doc.steps.length}: ${told(step)}` : "nothing crossed";
    part.back.disabled = part.rewind.disabled = drawn <= 0;
    part.next.disabled = part.last.disabled = drawn >= doc.steps.length - 1;
    part.parties.replaceChildren(...doc.parties.map((party, n) => drawParty(party, step?.parties[n])));
    drawBytes();
  }

  function drawBytes() {
    const step = doc.steps[drawn];
    const at = step?.at[0];
    const more = step && step.size > step.data.length / 2 ? `, the first ${step.data.length / 2} shown` : "";
    part.where.textContent = at ? `${step.from} → ${step.to}, ${range(at[2], at[3])}${more}` : "no bytes";
    part.grid.setAttribute("aria-label", at ? `bytes, ${PER_ROW} in a row` : "no bytes");
    const mine = edits.filter((edit) => at && edit[0] === at[0] && edit[1] === at[1]);
    const rows = at ? drawLines(step, new Map(mine.map((edit) => [edit[2], edit[3]]))) : [];
    part.grid.replaceChildren(...rows);
  }

  function drawPieces() {
    const step = doc.steps[drawn];
    const spot = pointed ?? fixed;
    part.what.textContent = step?.what ?? "";
    part.means.textContent = step ? [step.meaning, step.clause && `(${step.clause})`].filter(Boolean).join(" ") : "";
    const all = flat(step?.pieces ?? []);
    const best = all
      .filter((piece) => piece.start <= spot.start && spot.end <= piece.end)
      .sort((one, other) => one.end - one.start - (other.end - other.start) || other.depth - one.depth)[0];
    const open = (piece) =>
      piece.depth === 0 ||
      all.some(
        (top) =>
          top.depth === 0 &&
          top.start <= piece.start &&
          piece.end <= top.end &&
          top.start <= unfolded.start &&
          unfolded.start < top.end &&
          unfolded.end <= top.end,
      );
    const whole = !best || (spot.start === step.at[0]?.[2] && spot.end === step.at[0]?.[3] && all.length > 1);
    const items = all.filter(open).map((piece) => drawPiece(piece, !whole && piece === best));
    if (items.length && !items.some((item) => item.tabIndex === 0)) items[0].tabIndex = 0;
    if (step && step.size && !items.length)
      items.push(make("li", { class: "lk-piece" }, "Too long to be taken apart here; trace.bytes() has more room."));
    const focused = part.pieces.contains(document.activeElement);
    part.pieces.replaceChildren(...items);
    if (focused) part.pieces.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
  }

  /** Mark what is shown in all three panes. */
  function mark() {
    const spot = pointed ?? fixed;
    const step = doc.steps[spot.step];
    for (const row of part.diagram.querySelectorAll("g[data-row]")) {
      const on = step !== undefined && Number(row.dataset.row) === step.row;
      row.classList.toggle("lk-on", on);
      if (row.classList.contains("lk-row")) {
        row.setAttribute("aria-selected", String(on));
        row.setAttribute("tabindex", on ? "0" : "-1");
      }
      for (const line of row.querySelectorAll("g[data-start]")) {
        const [start, end] = [Number(line.dataset.start), Number(line.dataset.end)];
        line.classList.toggle("lk-line-on", on && start <= spot.start && spot.end <= end);
      }
    }
    const bad = doc.findings.filter(
      ({ at, level }) => level !== "note" && step?.at.some(([hop, way]) => hop === at[0] && way === at[1]),
    );
    for (const cell of part.grid.querySelectorAll("[data-at]")) {
      const offset = Number(cell.dataset.at);
      const all = spot.start === step.at[0][2] && spot.end === step.at[0][3];
      cell.classList.toggle("lk-on", !all && spot.start <= offset && offset < spot.end);
      cell.classList.toggle(
        "lk-broken",
        bad.some(({ at }) => at[2] <= offset && offset < at[3] && at[3] - at[2] < 40),
      );
      if (cell.tabIndex >= 0 || cell.getAttribute("role"))
        cell.tabIndex = offset === (fixed.step === drawn ? fixed.start : step.at[0][2]) ? 0 : -1;
    }
    drawEditor();
  }

  function drawEditor() {
    if (!host.edit) return;
    const step = doc.steps[fixed.step];
    const one = Boolean(step?.at.length) && fixed.end - fixed.start === 1 && !root.classList.contains("lk-lost");
    const cell = one && drawn === fixed.step ? part.grid.querySelector(`.lk-cell[data-at="${fixed.start}"]`) : null;
    part.byte.textContent = one ? `byte ${fixed.start}: type over it` : "choose a byte to type over it";
    part.hexField.disabled = part.charField.disabled = !one;
    part.undo.disabled = part.reset.disabled = !edits.length || root.classList.contains("lk-lost");
    const value = cell ? parseInt(cell.textContent, 16) : NaN;
    if (document.activeElement !== part.hexField) part.hexField.value = cell ? hex(value) : "";
    if (document.activeElement !== part.charField)
      part.charField.value = value >= 0x20 && value < 0x7f ? String.fromCharCode(value) : "";
  }

  function drawFindings() {
    part.edited.hidden = !doc.edits.length;
    part.edited.textContent = `The record is edited in ${plural(doc.edits.length, "byte")}; ${AS_RECORDED}`;
    const line = (finding) => drawFinding(finding, () => choose(placeOf(finding.at)));
    const [broken, notes] = [
      doc.findings.filter(({ level }) => level !== "note"),
      doc.findings.filter(({ level }) => level === "note"),
    ];
    part.findings.replaceChildren(
      ...[
        broken.length ? make("h3", {}, doc.summary) : "",
        make("ul", {}, ...broken.map(line)),
        notes.length
          ? make("details", {}, make("summary", {}, plural(notes.length, "note")), make("ul", {}, ...notes.map(line)))
          : "",
        doc.left ? make("p", {}, doc.left) : "",
      ].filter(Boolean),
    );
  }

  /** Return the spot of a place: the step that its first byte is in. */
  function placeOf([hop, way, start, end]) {
    const step = doc.steps.findIndex(({ at }) =>
      at.some((each) => each[0] === hop && each[1] === way && each[2] <= start && start < each[3]),
    );
    if (step < 0) return fixed;
    const from = doc.steps[step].at.find((each) => each[0] === hop && each[1] === way);
    const shift = doc.steps[step].at[0][2] - from[2]; // the same bytes, where the sender sent them
    return { step, start: start + shift, end: Math.min(end + shift, doc.steps[step].at[0][3]) };
  }

  function say(text, lost = false) {
    part.status.textContent = text;
    part.status.classList.toggle("lk-warn", lost);
  }

  drawAll();
  return {
    /** Show another document, at the same bytes. */
    update(now) {
      const at = doc.steps[fixed.step]?.at[0];
      const before = fixed;
      const focus = part.grid.contains(document.activeElement)
        ? "grid"
        : part.diagram.contains(document.activeElement)
          ? "row"
          : "";
      if (timer) return; // something newer was typed, and is about to be sent
      doc = now;
      edits = doc.edits.map((edit) => edit.slice(0, 4));
      [pointed, fixed] = [null, whole(0)];
      if (at) {
        const found = placeOf([at[0], at[1], before.start, before.end]);
        fixed = before.end - before.start === at[3] - at[2] && before.start === at[2] ? whole(found.step) : found;
      } else fixed = whole(Math.min(before.step, doc.steps.length - 1));
      drawAll();
      if (focus === "grid") part.grid.querySelector("[tabindex='0']")?.focus({ preventScroll: true });
      if (focus === "row") rowOf(fixed.step)?.focus({ preventScroll: true });
      say("");
    },
    say,
    /** Say that edits go nowhere any more; stepping and pointing go on. */
    lose(text) {
      root.classList.add("lk-lost");
      drawEditor();
      say(text, true);
    },
  };
}
