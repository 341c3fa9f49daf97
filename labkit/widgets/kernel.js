/**
 * The inspector in a notebook: edits go to the kernel, one message each, and the newest answer is shown.
 *
 * A front end draws by `render`; `initialize` runs once for all views of one inspector.
 */

const PATIENCE = 5000; // milliseconds for the kernel
const BUSY = "The kernel is busy, or gone: this verdict is of before your last edit.";
const GONE = "The kernel is gone: this verdict is its last. Stepping works on; to edit, run the cell again.";

/** Put what changed into a document; a step that is null is as before. */
export function merged(before, changed) {
  return { ...before, ...changed, steps: changed.steps.map((step, n) => step ?? before.steps[n]) };
}

/** Take every answer in its order, for whichever view asked. */
function initialize({ model }) {
  model.on("msg:custom", (answer) => {
    if (answer.document) model.set("document", merged(model.get("document"), answer.document));
  });
}

function render({ model, el }) {
  const me = Math.random().toString(36).slice(2);
  let asked = 0,
    waiting = 0;
  const edit = (edits) => {
    asked += 1;
    clearTimeout(waiting);
    waiting = setTimeout(() => view.say(BUSY, true), PATIENCE);
    try {
      model.send({ view: me, number: asked, edits });
    } catch {
      lost();
    }
  };
  const lost = () => {
    clearTimeout(waiting);
    view.lose(GONE);
  };
  const root = document.createElement("div");
  el.append(root);
  const view = mount(root, model.get("document"), { edit });
  const answered = (answer) => {
    if (answer.view === me && answer.number !== asked) return; // a newer one is on its way
    if (answer.view === me) {
      clearTimeout(waiting);
      waiting = 0;
    }
    if (!waiting) answer.document ? view.update(model.get("document")) : view.say(answer.error, true);
  };
  model.on("msg:custom", answered);
  // Three ways in which a front end says that the kernel is gone; not every one has each of them.
  const kernel = model.widget_manager?.kernel;
  const changed = (_, status) => ["dead", "terminating", "restarting", "autorestarting"].includes(status) && lost();
  kernel?.statusChanged?.connect(changed);
  kernel?.disposed?.connect(lost);
  const look = () => el.closest(".jupyter-widgets-disconnected") && lost();
  const watch = new MutationObserver(look);
  for (let node = el; node && !node.classList.contains("jp-OutputArea"); node = node.parentElement)
    watch.observe(node, { attributeFilter: ["class"] });
  return () => {
    watch.disconnect();
    clearTimeout(waiting);
    model.off("msg:custom", answered);
    kernel?.statusChanged?.disconnect(changed);
    kernel?.disposed?.disconnect(lost);
  };
}

export default { initialize, render };
