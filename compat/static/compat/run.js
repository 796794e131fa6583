// A run's page: asks for the progress every second while the run lives, and draws its course.
"use strict";
(() => {
  const run = document.getElementById("run");
  if (!run) return;
  const store = `compat-run-${run.dataset.key}`;
  const samples = JSON.parse(sessionStorage.getItem(store) || "[]");
  const digits = { seconds: 1 };

  function show(progress) {
    document.getElementById("bar").value = progress.done;
    for (const cell of run.querySelectorAll("[data-figure]")) {
      const value = progress[cell.dataset.figure];
      cell.textContent = value === null ? "–" : value.toLocaleString(undefined, { maximumFractionDigits: digits[cell.dataset.figure] || 0 });
    }
  }

  function remember(progress) {
    const rows = progress.copied + progress.rejected;
    const last = samples[samples.length - 1];
    const now = Date.now() / 1000;
    if (last && rows >= last.rows && progress.batches >= last.batches) {
      const batches = progress.batches - last.batches;
      samples.push({ at: now, rows, batches: progress.batches, rate: (rows - last.rows) / Math.max(now - last.at, 0.001), batch: batches ? (rows - last.rows) / batches : last.batch });
    } else {
      samples.push({ at: now, rows, batches: progress.batches, rate: 0, batch: 0 });
    }
    if (samples.length > 3600) samples.shift();
    sessionStorage.setItem(store, JSON.stringify(samples));
  }

  function draw(id, key) {
    const svg = document.getElementById(id);
    const points = samples.filter((sample) => sample[key]);
    if (points.length < 2) return;
    const [start, end] = [points[0].at, points[points.length - 1].at];
    const top = Math.max(...points.map((sample) => sample[key]));
    const place = (sample) => `${((sample.at - start) / (end - start)) * 600},${115 - (sample[key] / top) * 100}`;
    svg.innerHTML = `<polyline points="${points.map(place).join(" ")}"/>`;
    svg.parentElement.querySelector("span").textContent = Math.round(top).toLocaleString();
    svg.parentElement.hidden = false;
  }

  function drawAll() { draw("rate", "rate"); draw("batch", "batch"); }

  async function poll() {
    const response = await fetch(run.dataset.progress, { headers: { Accept: "application/json" } }).catch(() => null);
    if (response && response.ok && !response.redirected) {
      const progress = await response.json();
      show(progress);
      remember(progress);
      drawAll();
      if (progress.state !== run.dataset.state || String(progress.live) !== run.dataset.live) { location.reload(); return; }
    }
    setTimeout(poll, 1000);
  }

  drawAll();
  if (["running", "rolling_back"].includes(run.dataset.state)) poll();
})();
