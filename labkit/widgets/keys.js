// JupyterLab's shortcuts (x cuts a cell, arrows go to the next one) keep away from the knobs: they are for the knob.
if (!document.labkitKeys) {
    document.labkitKeys = true;
    document.addEventListener("focusin", ({target}) => {
        if (target.closest(".labkit-workbench")) target.setAttribute("data-lm-suppress-shortcuts", "true");
    });
}
