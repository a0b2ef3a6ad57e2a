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
  const state = {scorer: "", lines: [], order: [], at: 0, column: 0, waiting: null, film: 0,
    same: -1, found: {}, saved: 0, read: false, sending: false, others: {}};

  const current = () => state.order[state.at];
  const worm = () => data.worms[current()];
  const blind = () => ($("blind").checked ? 1 : 0);

  function say(words, bad) {
    $("saved").textContent = words;
    $("saved").className = bad ? "bad" : "";
  }

  const {keep, save, load, pick, unsaved} = Saving(data, state, token, say, () => draw());

  function append(line) {
    const index = data.worms.findIndex((one) => one.track === line.track);
    state.lines.push(line);
    save();
    draw(index < 0 ? undefined : index);
  }

  // With `onward` the next worm that nobody looked at comes after it.
  function act(action, more, onward) {
    if (!LEGAL.test(state.scorer)) {
      say("type your name first: letters, digits, - and _", true);
      $("scorer").focus();
      return;
    }
    // A plate without a worm may be left out.
    if (!data.worms.length && !["exclude_plate", "undo", "redo"].includes(action)) return;
    if (action === "undo" || action === "redo") {
      const line = Corrections.undo(data, state.lines, action, blind());
      if (!line) return say(`nothing to ${action}`);
      const index = data.worms.findIndex((one) => one.track === line.track);
      if (index >= 0 && line.digest === data.digest) state.at = state.order.indexOf(index);
      append(line);
      return show();
    }
    if (action === "censored" && !more) return ask(data.reasons, (reason) => act("censored", {reason}, onward));
    if (action === "exclude_plate") {
      return ask(data.plate_reasons, (reason) => append(Corrections.ofPlate(data, state.lines,
        state.scorer, state.column, reason, blind())));
    }
    if (action === "several" && !more) return say("type the number of worms, 2 to 9");
    if (action === "same_as" && !more) {
      state.same = current();
      return say(`go to the worm that ${nameOf(current())} is the same as, and press Enter; Escape leaves it`);
    }
    // To check is to say that the machine is right, which nobody can who does not see its call.
    if (action === "checked" && machineHidden(state.found[worm().track] || {})) {
      return say("blind: say what you see, as a for alive at the last picture; n goes on");
    }
    if (action === "checked" && blind()) return step(1);
    let column = state.column;
    if (action === "immobile") {
      column = Corrections.before(data, column);
      if (column < 0) return say("no picture before this one: its healthspan ended before the first");
      action = "last_healthy";
    }
    append(Corrections.line(data, state.lines, state.scorer, worm(), action, column,
      {...more, blind: blind()}));
    if (action === "checked") step(1);
    else if (onward) next();
  }

  const nameOf = (index) => rows[index].querySelector("b").textContent;

  // The worm that was chosen is the same as the one marked before.
  function same() {
    const one = data.worms[state.same], other = worm(), index = state.same;
    state.same = -1;
    if (one === other) return say("a worm is the same as itself");
    state.at = state.order.indexOf(index);
    act("same_as", Corrections.sameAs(data, other));
  }

  function ask(words, then) {
    state.waiting = {words, then};
    $("reasons").hidden = false;
    say("which reason? Type its number; Escape leaves it");
    $("reasons").replaceChildren(...words.map((reason, place) => {
      const button = document.createElement("button");
      button.textContent = `${place + 1}  ${reason}`;
      button.onclick = () => answer(place);
      return button;
    }));
    $("reasons").scrollIntoView({block: "nearest"});
  }

  function answer(place) {
    const {words, then} = state.waiting;
    state.waiting = null;
    $("reasons").hidden = true;
    if (place < 0) say("left as it was");
    if (place >= 0 && place < words.length) then(words[place]);
    $("rows").focus();
  }

  // Whether nothing is shown of a worm: its call is hidden, and nothing was said of it.
  const machineHidden = (own) => blind() && !own.death && !own.healthspan_end && !own.kind;

  // Of rows that are not in view nothing is drawn before they are.
  function drawRow(index) {
    const row = rows[index], one = data.worms[index], own = state.found[one.track] || {};
    row.dataset.drawn = "1";
    Strips.fill(row, index);
    const hidden = Boolean(blind()), looks = {};
    if (!blind()) one.seen.forEach((at, place) => { looks[at] = COLOUR[one.looks[place]] && one.looks[place]; });
    const letters = machineHidden(own) ? "-".repeat(count) : Corrections.states(data, one, own, hidden);
    Strips.bar(row.querySelector(".bar"), letters, looks, data.usable, cell, COLOUR);
    const words = Corrections.words(data, own, nameOf);
    row.querySelector(".call").textContent = words && `you: ${words}`;
    row.querySelector(".note").textContent = Corrections.contradiction(data, one, own, hidden);
    const {told, differ} = Corrections.others(data, blind() ? {} : state.others, one.track, nameOf);
    row.querySelector(".others").textContent = `${differ ? "scorers disagree: " : ""}${told.join(" · ")}`;
    row.classList.toggle("differ", differ);
  }

  const inView = new Set();
  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) {
      const index = Number(one.target.dataset.index);
      if (!one.isIntersecting) inView.delete(index);
      else {
        inView.add(index);
        if (!one.target.dataset.drawn || !one.target.dataset.filled) drawRow(index);
      }
    }
  }, {root: $("rows"), rootMargin: "400px 0px"});

  function draw(only) {
    state.found = Corrections.calls(data, state.lines);
    if (only === undefined) rows.forEach((row) => delete row.dataset.drawn);
    else delete rows[only].dataset.drawn;
    for (const index of inView) if (!rows[index].dataset.drawn) drawRow(index);
    const looked = data.worms.filter((one) => state.found[one.track]).length;
    const pace = Corrections.pace(data, state.lines), left = data.worms.length - looked;
    const minutes = pace && left ? `, about ${Math.max(1, Math.round(pace * left / 60))} min to go` : "";
    $("progress").textContent = `looked at ${looked} of ${data.worms.length}${minutes}`;
    const out = (state.found[Corrections.NO_TRACK] || {}).plate;
    $("excluded").textContent = out ? `plate excluded: ${out.reason}` : "";
    show();
  }

  function sorted() {
    const here = current();
    state.order = Corrections.order(data, blind() ? "blind" : $("sort").value);
    const first = document.querySelector(".mover");
    for (const index of state.order) $("rows").insertBefore(rows[index], first);
    state.at = Math.max(0, state.order.indexOf(here));
    document.body.classList.toggle("blind", Boolean(blind()));
    $("sort").disabled = Boolean(blind());
    $("title").textContent = blind() ? "Review, blind" : `Review of ${data.plate}`;
    document.title = $("title").textContent;
  }

  function show() {
    if (!data.worms.length) return;
    const row = rows[current()], one = worm(), index = current();
    document.querySelector(".worm.current")?.classList.remove("current");
    if (!row.dataset.drawn || !row.dataset.filled) drawRow(index);
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
    const picture = row.querySelectorAll("img")[Math.floor(state.column / data.line)], column = state.column;
    const paint = () => {
      if (index !== current() || column !== state.column) return;
      pen.drawImage(picture, (column % data.line) * cell, 0, cell, cell, 0, 0, side, side);
      const points = Strips.outlines(index)[column];
      if (points && $("outlines").checked) Strips.outline(pen, points, side, cell);
    };
    if (picture && picture.complete && picture.naturalWidth) paint();
    else if (picture) picture.decode().then(paint, () => {});
    const place = Corrections.nearest(one, state.column);
    showPlate();
    const sure = one.confidence === null || blind() ? "" : `, confidence ${one.confidence}`;
    const seen = one.seen.includes(state.column) ? "" : data.usable[state.column] ? ", not found here" : ", no usable frame";
    $("where").textContent = `${row.querySelector("b").textContent}${sure}: day ${data.days[state.column]}, timepoint ${data.timepoints[state.column]}${seen}; x ${Math.round(one.x[place])}, y ${Math.round(one.y[place])} px`;
  }

  const looked = (index) => Boolean(state.found[data.worms[index].track]);
  const small = document.querySelector("#plate canvas"), large = document.querySelector("#large-plate canvas");

  function showPlate() {
    Plate.draw(small, data, state.column, current(), looked);
    if (!$("large-plate").hidden) Plate.draw(large, data, state.column, current(), looked, shortName);
  }

  // The number of a worm; of what does not count that of its track.
  const shortName = (index) => {
    const one = data.worms[index];
    return one.individual ? String(one.individual) : `object ${one.track}`;
  };

  function enlarge(open = $("large-plate").hidden) {
    $("large-plate").hidden = !open;
    showPlate();
    $(open ? "large-plate" : "rows").focus();
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
    const found = state.found;
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

  const jump = (by) => {
    if (!data.worms.length) return;
    state.column = Corrections.jump(worm(), state.column, by, blind());
    show();
  };

  function goTo() {
    const asked = prompt("number of the worm, as on the contact sheet");
    const index = data.worms.findIndex((one) => String(one.individual) === (asked || "").trim());
    if (asked === null || blind()) return;
    if (index < 0) return say(`there is no worm ${asked} here`);
    state.at = state.order.indexOf(index);
    toChange();
    show();
  }

  const KEYS = {d: () => act("dead"), h: () => act("last_healthy"), a: () => act("alive"),
    i: () => act("immobile"), c: () => act("censored"), x: () => act("not_a_worm"), w: () => act("worm"),
    Enter: () => act("checked"), z: () => act("undo"), Z: () => act("redo"), n: next, " ": film,
    o: () => $("outlines").click(), b: () => $("blind").click(), Home: () => move(-count), End: () => move(count),
    ArrowUp: () => step(-1), ArrowDown: () => step(1), ",": () => jump(-1), ".": () => jump(1),
    m: () => act("same_as"), E: () => act("exclude_plate"), "/": goTo,
    p: () => enlarge(), "?": () => { $("help").scrollIntoView(); },
    D: () => act("dead", null, true), H: () => act("last_healthy", null, true),
    A: () => act("alive", null, true), I: () => act("immobile", null, true), C: () => act("censored", null, true),
    X: () => act("not_a_worm", null, true), W: () => act("worm", null, true)};

  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input, select") && event.target.type !== "checkbox") return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const button = event.target.closest("button");
    if (button && (event.key === "Enter" || event.key === " ")) return;
    if (state.same >= 0 && (event.key === "Enter" || event.key === "Escape")) {
      if (event.key === "Enter") same();
      else {
        state.same = -1;
        say("left as it was");
      }
    } else if (state.waiting) {
      if (event.key === "Escape") answer(-1);
      else if (/^[1-9]$/.test(event.key)) answer(Number(event.key) - 1);
      else return;
    } else if (event.key === "Escape" && !$("large-plate").hidden) {
      enlarge(false);
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
  $("plate").addEventListener("click", () => enlarge());
  $("plate").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    enlarge();
    event.preventDefault();
    event.stopPropagation();
  });
  large.addEventListener("click", (event) => {
    const index = Plate.clicked(large, data, state.column, event);
    if (index < 0) return;
    state.at = state.order.indexOf(index);
    enlarge(false);
    toChange();
    show();
  });
  window.addEventListener("resize", () => { if (data.worms.length) showPlate(); });
  document.querySelectorAll("[data-action]").forEach((button) => {
    button.addEventListener("click", () => act(button.dataset.action));
  });
  $("sort").addEventListener("change", () => { sorted(); draw(); $("rows").focus(); });
  $("blind").addEventListener("change", () => {
    // A page that is opened again does not show what was hidden.
    try { localStorage.setItem("snakescope:blind", blind() ? "1" : ""); } catch (error) { /* told when saving */ }
    sorted();
    draw();
  });
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
      const lines = Corrections.joined(state.lines, Corrections.parse(data, await file.text(), state.scorer));
      const added = lines.length - state.lines.length;
      state.lines = lines;
      save();
      say(`${added} lines opened that were not here`);
      draw();
    } catch (error) {
      say(`${file.name}: ${error.message}`, true);
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if ((token && state.saved < state.lines.length) || unsaved()) event.preventDefault();
  });
  $("beside").hidden = Boolean(token) || !window.showDirectoryPicker;
  $("beside").addEventListener("click", async () => {
    if (!state.scorer) return say("type your name first: letters, digits, - and _", true);
    await pick();
    $("rows").focus();
  });

  try {
    state.scorer = localStorage.getItem("snakescope:scorer") || "";
  } catch (error) { state.scorer = ""; }
  $("scorer").value = state.scorer;
  try { $("blind").checked = Boolean(localStorage.getItem("snakescope:blind")); } catch (error) { /* as above */ }
  rows.forEach((row) => { row.querySelector(".strip").style.width = `${count * cell}px`; });
  rows.forEach((row) => watcher.observe(row));
  // While the browser still reads the pictures, those of rows in view are taken as they come.
  const fill = () => {
    for (const index of inView) if (!rows[index].dataset.filled) drawRow(index);
    show();
  };
  const filling = setInterval(fill, 100);
  document.addEventListener("DOMContentLoaded", () => {
    clearInterval(filling);
    fill();
  });
  if (token) {
    $("links").querySelectorAll("a").forEach((link, place) => {
      link.href = place ? `/plate/${encodeURIComponent(data.plate)}/${link.getAttribute("href")}` : "/";
    });
  }
  sorted();
  toChange();
  load();
  if (!state.scorer) say("type your name to begin"); else $("rows").focus();
})();
