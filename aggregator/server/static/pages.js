// Makes pages nicer; everything works without it. Keys, copy buttons, times that stay true.
"use strict";

(() => {
  const week = 7 * 86400;
  const units = [[86400, "d"], [3600, "h"], [60, "min"]];

  function tellTimes() {
    for (const time of document.querySelectorAll("time.ago")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      if (!(seconds >= 0 && seconds < week)) continue;
      const found = units.find(([size]) => seconds >= size);
      time.textContent = found ? `${Math.floor(seconds / found[0])} ${found[1]} ago` : "just now";
    }
  }

  function offerCopies() {
    // Browsers give pages the clipboard only over HTTPS and on this machine.
    if (!navigator.clipboard) return;
    for (const button of document.querySelectorAll("button[data-copy]")) {
      const label = button.firstChild;
      button.hidden = false;
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(button.dataset.copy);
          label.textContent = "Copied";
        } catch {
          label.textContent = "Not copied";
        }
        setTimeout(() => { label.textContent = "Copy"; }, 2000);
      });
    }
  }

  const titles = () => [...document.querySelectorAll(".items > li > :is(h2, h3) > a")];
  const chosen = () => document.activeElement?.closest?.(".items > li");

  function follow(selector, within = document) {
    const link = within.querySelector(selector);
    if (link) link.click();
    return Boolean(link);
  }

  function move(step) {
    const links = titles();
    if (!links.length || document.querySelector("article.story")) {
      return follow(step > 0 ? ".beside [rel=next]" : ".beside [rel=prev]");
    }
    const at = links.findIndex((link) => link.closest("li") === chosen());
    const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step;
    if (next >= links.length) return follow(".pager [rel=next]");
    if (next < 0) return false;
    links[next].focus();
    links[next].scrollIntoView({ block: "center" });
    return true;
  }

  const keys = {
    j: () => move(1),
    k: () => move(-1),
    o: () => (chosen() ? follow(":is(h2, h3) > a", chosen()) : false),
    s: () => follow("a.out", chosen() ?? document),
    "/": () => {
      const box = document.getElementById("q");
      if (box) box.focus();
      else return follow("nav a[href$='/search']");
      return true;
    },
    "?": () => {
      document.getElementById("keys").showModal();
      return true;
    },
  };

  document.addEventListener("keydown", (event) => {
    const writes = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (writes || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (act && act()) event.preventDefault();
  });

  tellTimes();
  offerCopies();
  setInterval(tellTimes, 60000);
})();
