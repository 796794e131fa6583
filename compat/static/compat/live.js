// Refreshes a page: requests it again and replaces the parts that changed. The interval is in data-pace.
"use strict";
(() => {
  const parts = "[data-part], #result_list";

  function replace(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    for (const part of document.querySelectorAll(parts)) {
      const other = fresh.getElementById(part.id);
      if (other && other.outerHTML !== part.outerHTML) part.replaceWith(other);
    }
  }

  async function refresh() {
    if (!document.hidden) {
      const response = await fetch(location.href).catch(() => null);
      if (response && response.ok && !response.redirected) replace(await response.text());
    }
    later();
  }

  function later() {
    setTimeout(refresh, Number(document.querySelector("[data-pace]").dataset.pace));
  }

  later();
})();
