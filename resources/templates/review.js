(() => {
  if (typeof document === "undefined") return;
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const count = data.timepoints.length, cell = data.cell;
  const token = document.querySelector('meta[name="snakescope-token"]');
  const rows = [...document.querySelectorAll(".worm")];
  const style = getComputedStyle(document.documentElement);
  const COLOUR = {h: style.getPropertyValue("--healthy"), i: style.getPropertyValue("--immobile"),
    d: style.getPropertyValue("--dead"), "-": "#e6e8ea", c: "#ffffff", x: "#c9cdd1"};
  const LEGAL = /^[A-Za-z0-9_-]{1,40}$/;
  const state = {scorer: "", lines: [], order: [], at: 0, column: 0, waiting: false, unsaved: 0, film: 0};

  const storageKey = () => `snakescope:${data.plate}:${data.digest}:${state.scorer}`;
  const current = () => state.order[state.at];
  const worm = () => data.worms[current()];
  const blind = () => ($("blind").checked ? 1 : 0);

  function say(words, bad) {
    $("saved").textContent = words;
    $("saved").className = bad ? "bad" : "";
  }

  function keep() {
    try {
      localStorage.setItem(storageKey(), Corrections.text(data, state.lines));
      return true;
    } catch (error) {
      say("not kept by this browser: download the file", true);
      return false;
    }
  }

  // Lines are sent one after the other; the server refuses what it has.
  let sending = Promise.resolve();
  function save(added) {
    const kept = keep();
    if (!token) {
      if (kept) say(`kept in this browser ${new Date().toTimeString().slice(0, 8)}`);
      return;
    }
    state.unsaved += 1;
    say("saving");
    const body = JSON.stringify({plate: data.plate, scorer: state.scorer, lines: [added]});
    sending = sending.then(() => fetch("/api/corrections", {method: "POST", body,
      headers: {"Content-Type": "application/json", "X-Snakescope-Token": token.content}}))
      .then(async (answer) => {
        if (!answer.ok) throw new Error(await answer.text());
        state.unsaved -= 1;
        if (!state.unsaved) say(`saved ${new Date().toTimeString().slice(0, 8)}`);
      })
      .catch((error) => say(`not saved: ${error.message}; download the file`, true));
  }

  async function load() {
    state.lines = [];
    try {
      const kept = localStorage.getItem(storageKey());
      if (kept) state.lines = Corrections.parse(data, kept, state.scorer);
    } catch (error) {
      say(`what this browser kept cannot be read: ${error.message}`, true);
    }
    if (token && state.scorer) {
      const query = `plate=${encodeURIComponent(data.plate)}&scorer=${encodeURIComponent(state.scorer)}`;
      try {
        const answer = await fetch(`/api/corrections?${query}`, {headers: {"X-Snakescope-Token": token.content}});
        if (!answer.ok) throw new Error(await answer.text());
        const there = Corrections.parse(data, await answer.text(), state.scorer);
        // What was kept here while the server was away is sent now.
        const last = there.length ? there[there.length - 1].id : 0;
        const same = there.every((one, place) => state.lines[place] && state.lines[place].id === one.id
          && state.lines[place].time_utc === one.time_utc);
        const more = same ? state.lines.filter((one) => one.id > last) : [];
        state.lines = [...there, ...more];
        for (const one of more) save(one);
        if (!more.length) say(`${there.length} lines read`);
      } catch (error) {
        say(`not read: ${error.message}`, true);
      }
    }
    draw();
  }

  function append(line) {
    state.lines.push(line);
    save(line);
    draw();
  }

  function act(action, more) {
    if (!LEGAL.test(state.scorer)) {
      say("type your name first: letters, digits, - and _", true);
      $("scorer").focus();
      return;
    }
    if (!data.worms.length) return;
    if (action === "undo" || action === "redo") {
      const line = Corrections.undo(data, state.lines, action, blind());
      if (!line) return say(`nothing to ${action}`);
      const index = data.worms.findIndex((one) => one.track === line.track);
      if (index >= 0 && line.digest === data.digest) state.at = state.order.indexOf(index);
      append(line);
      return show();
    }
    if (action === "censored" && !more) return ask();
    if (action === "several" && !more) return say("type the number of worms, 2 to 9");
    append(Corrections.line(data, state.lines, state.scorer, worm(), action, state.column,
      {...more, blind: blind()}));
    if (action === "checked") step(1);
  }

  function ask() {
    state.waiting = true;
    $("reasons").hidden = false;
    $("reasons").replaceChildren(...data.reasons.map((reason, place) => {
      const button = document.createElement("button");
      button.textContent = `${place + 1}  ${reason}`;
      button.onclick = () => answer(place);
      return button;
    }));
  }

  function answer(place) {
    state.waiting = false;
    $("reasons").hidden = true;
    if (place >= 0 && place < data.reasons.length) act("censored", {reason: data.reasons[place]});
    $("rows").focus();
  }

  function wordsOf(own) {
    const at = (one) => `day ${data.days[data.timepoints.indexOf(one.timepoint)]}`;
    const words = [];
    if (own.kind) words.push(own.kind.action === "several" ? `${own.kind.value} worms` : own.kind.action.replaceAll("_", " "));
    if (own.healthspan_end) words.push(`last healthy ${at(own.healthspan_end)}`);
    if (own.death) words.push(`${own.death.action} ${at(own.death)}${own.death.reason ? ", " + own.death.reason : ""}`);
    if (own.checked) words.push("checked");
    return words.join("; ");
  }

  const machineHidden = (own) => blind() && !own.death && !own.healthspan_end;

  function drawRow(index, found) {
    const row = rows[index], one = data.worms[index], own = found[one.track] || {};
    const bar = row.querySelector(".bar"), letters = machineHidden(own) ? "-".repeat(count) : Corrections.states(data, one, own);
    bar.width = count * cell;
    bar.height = 14;
    bar.style.width = `${count * cell}px`;
    const pen = bar.getContext("2d");
    pen.font = "10px sans-serif";
    for (let at = 0; at < count; at += 1) {
      const letter = letters[at];
      pen.fillStyle = data.usable[at] ? COLOUR[letter] : "#9aa0a6";
      pen.fillRect(at * cell, 0, cell - 1, 14);
      if (!data.usable[at] || "-cx".includes(letter)) continue;
      if (at && letters[at - 1] === letter && at % 8) continue;
      pen.fillStyle = letter === "i" ? "#000" : "#fff";
      pen.fillText(letter.toUpperCase(), at * cell + 4, 11);
    }
    row.querySelector(".call").textContent = wordsOf(own);
    const wrong = Corrections.contradiction(data, one, own);
    row.querySelector(".note").textContent = wrong;
  }

  function draw() {
    const found = Corrections.calls(data, state.lines);
    rows.forEach((_, index) => drawRow(index, found));
    const looked = data.worms.filter((one) => found[one.track]).length;
    $("progress").textContent = `looked at ${looked} of ${data.worms.length}`;
    show();
  }

  function sorted() {
    const here = current();
    state.order = Corrections.order(data, blind() ? "blind" : $("sort").value);
    const first = document.querySelector(".mover");
    for (const index of state.order) $("rows").insertBefore(rows[index], first);
    state.at = Math.max(0, state.order.indexOf(here));
    document.body.classList.toggle("blind", Boolean(blind()));
    $("title").textContent = blind() ? "Review, blind" : `Review of ${data.plate}`;
    document.title = $("title").textContent;
  }

  function outline(pen, points, size) {
    pen.strokeStyle = "#ffd400";
    pen.lineWidth = 2;
    pen.beginPath();
    for (let place = 0; place < points.length; place += 2)
      pen.lineTo((points[place] + 0.5) * size / cell, (points[place + 1] + 0.5) * size / cell);
    pen.closePath();
    pen.stroke();
  }

  function show() {
    rows.forEach((row) => row.classList.remove("current"));
    if (!data.worms.length) return;
    const row = rows[current()], one = worm();
    row.classList.add("current");
    row.querySelector(".cursor").style.left = `${state.column * cell}px`;
    const box = $("rows"), name = row.querySelector(".name").offsetWidth, x = state.column * cell;
    if (x - box.scrollLeft < cell) box.scrollLeft = Math.max(0, x - cell * 2);
    if (x + cell * 2 + name > box.scrollLeft + box.clientWidth) box.scrollLeft = x + cell * 3 + name - box.clientWidth;
    // Not scrollIntoView, which would also scroll a row that is wider than the window.
    const top = row.offsetTop - box.offsetTop;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + row.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top + row.offsetHeight - box.clientHeight;
    const pen = $("large").getContext("2d"), side = $("large").width;
    const picture = row.querySelectorAll("img")[Math.floor(state.column / data.line)];
    const paint = () => {
      pen.drawImage(picture, (state.column % data.line) * cell, 0, cell, cell, 0, 0, side, side);
      const points = one.outlines[state.column];
      if (points && $("outlines").checked) outline(pen, points, side);
    };
    picture.loading = "eager";
    if (picture.complete && picture.naturalWidth) paint(); else picture.decode().then(paint, () => {});
    const place = Corrections.nearest(one, state.column);
    $("spot").style.left = `${100 * one.x[place] / data.width_px}%`;
    $("spot").style.top = `${100 * one.y[place] / data.height_px}%`;
    const sure = one.confidence === null || blind() ? "" : `, confidence ${one.confidence}`;
    const seen = one.seen.includes(state.column) ? "" : data.usable[state.column] ? ", not found here" : ", no usable frame";
    $("where").textContent = `${row.querySelector("b").textContent}${sure}: day ${data.days[state.column]}, timepoint ${data.timepoints[state.column]}${seen}; x ${Math.round(one.x[place])}, y ${Math.round(one.y[place])} px`;
  }

  // To the change that the machine is to be checked by.
  function toChange() {
    const one = worm();
    if (!one || blind()) return;
    state.column = one.dead >= 0 ? one.dead : Math.max(one.stopped, 0);
  }

  function step(by) {
    state.at = Math.min(Math.max(state.at + by, 0), Math.max(state.order.length - 1, 0));
    toChange();
    show();
  }

  function next() {
    const found = Corrections.calls(data, state.lines);
    for (let by = 1; by <= state.order.length; by += 1) {
      const at = (state.at + by) % state.order.length;
      if (!found[data.worms[state.order[at]].track]) {
        state.at = at;
        toChange();
        return show();
      }
    }
    say("every worm was looked at");
  }

  function move(by) {
    state.column = Math.min(Math.max(state.column + by, 0), count - 1);
    show();
  }

  function film() {
    if (state.film) {
      clearInterval(state.film);
      state.film = 0;
      return;
    }
    state.film = setInterval(() => {
      state.column = (state.column + 1) % count;
      show();
    }, 200);
  }

  const KEYS = {d: () => act("dead"), h: () => act("last_healthy"), a: () => act("alive"),
    c: () => act("censored"), x: () => act("not_a_worm"), w: () => act("worm"),
    Enter: () => act("checked"), z: () => act("undo"), Z: () => act("redo"), n: next, " ": film,
    o: () => $("outlines").click(), b: () => $("blind").click(), Home: () => move(-count), End: () => move(count),
    ArrowUp: () => step(-1), ArrowDown: () => step(1)};

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") && event.target.type !== "checkbox") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const button = event.target.closest("button");
    if (button && (event.key === "Enter" || event.key === " ")) return;
    if (state.waiting) {
      if (event.key === "Escape") answer(-1);
      else if (/^[1-9]$/.test(event.key)) answer(Number(event.key) - 1);
      else return;
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      move((event.key === "ArrowLeft" ? -1 : 1) * (event.shiftKey ? 10 : 1));
    } else if (/^[2-9]$/.test(event.key)) act("several", {value: Number(event.key)});
    else if (KEYS[event.key]) KEYS[event.key]();
    else return;
    event.preventDefault();
  });

  $("rows").addEventListener("click", (event) => {
    const row = event.target.closest(".worm");
    if (!row) return;
    state.at = state.order.indexOf(Number(row.dataset.index));
    const strip = event.target.closest(".strip");
    if (strip) state.column = Math.min(count - 1, Math.floor((event.clientX - strip.getBoundingClientRect().left) / cell));
    else toChange();
    show();
  });
  document.querySelectorAll("[data-action]").forEach((button) => {
    button.addEventListener("click", () => act(button.dataset.action));
  });
  $("sort").addEventListener("change", () => { sorted(); draw(); $("rows").focus(); });
  $("blind").addEventListener("change", () => { sorted(); draw(); });
  $("outlines").addEventListener("change", show);
  $("scorer").addEventListener("change", () => {
    const name = $("scorer").value.trim();
    if (name && !LEGAL.test(name)) return say("a name of letters, digits, - and _", true);
    state.scorer = name;
    try { localStorage.setItem("snakescope:scorer", name); } catch (error) { /* told when saving */ }
    load();
    $("rows").focus();
  });
  $("scorer").addEventListener("keydown", (event) => { if (event.key === "Enter") $("scorer").blur(); });
  $("download").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([Corrections.text(data, state.lines)], {type: "text/tab-separated-values"}));
    link.download = `${data.plate}.${state.scorer || "scorer"}.tsv`;
    link.click();
    URL.revokeObjectURL(link.href);
    say(`put the file into the folder corrections/ as ${link.download}`);
  });
  $("open").addEventListener("change", async () => {
    const file = $("open").files[0];
    if (!file) return;
    try {
      const lines = Corrections.parse(data, await file.text(), state.scorer);
      if (lines.length < state.lines.length) throw new Error("it has fewer lines than are here");
      state.lines = lines;
      keep();
      say(`${lines.length} lines opened`);
      draw();
    } catch (error) {
      say(`${file.name}: ${error.message}`, true);
    }
  });
  window.addEventListener("beforeunload", (event) => { if (state.unsaved) event.preventDefault(); });

  try {
    state.scorer = localStorage.getItem("snakescope:scorer") || "";
  } catch (error) { state.scorer = ""; }
  $("scorer").value = state.scorer;
  rows.forEach((row) => { row.querySelector(".strip").style.width = `${count * cell}px`; });
  sorted();
  toChange();
  load();
  if (!state.scorer) say("type your name to begin"); else $("rows").focus();
})();
