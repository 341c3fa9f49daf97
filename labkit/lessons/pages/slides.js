// One slide at a time. → Page Down Space: on; ← Page Up: back; Home, End; ↑ ↓ scroll inside a slide. The address has the number.
"use strict";
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const [back, on] = document.querySelectorAll(".controls button");
  const place = document.querySelector(".controls output");
  let now = 0;

  function show(number) {
    now = Math.min(Math.max(number, 0), slides.length - 1);
    slides.forEach((slide, at) => slide.classList.toggle("now", at === now));
    place.textContent = `${now + 1} / ${slides.length}`;
    back.disabled = now === 0;
    on.disabled = now === slides.length - 1;
    slides[now].scrollTop = 0;
    slides[now].focus({ preventScroll: true });
    history.replaceState(null, "", `#${now + 1}`);
  }

  const told = () => show((parseInt(location.hash.slice(1), 10) || 1) - 1);
  const keys = {
    ArrowRight: () => now + 1, PageDown: () => now + 1, " ": () => now + 1,
    ArrowLeft: () => now - 1, PageUp: () => now - 1, Home: () => 0, End: () => slides.length - 1,
  };
  document.addEventListener("keydown", (event) => {
    const goes = keys[event.key];
    const busy = event.key === " " && event.target.closest("button, summary, a");
    if (!goes || busy || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    show(goes());
  });
  back.addEventListener("click", () => show(now - 1));
  on.addEventListener("click", () => show(now + 1));
  addEventListener("hashchange", told);
  document.body.classList.add("shown");
  told();
})();
