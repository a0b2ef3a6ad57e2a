"use strict";
// Corrections of a plate: what a key appends, what counts, and the file. No page is needed here, so
// that tests can call it. The file is described in snakescope/healthspan/review/corrections.py.
const Corrections = (() => {
  const SLOT = {dead: "death", alive: "death", censored: "death", last_healthy: "healthspan_end",
    not_a_worm: "kind", worm: "kind", several: "kind", same_as: "kind", checked: "checked",
    exclude_plate: "plate"};
  // Of the whole plate a line names no track.
  const NO_TRACK = 0, LONGEST_PAUSE_S = 300;

  const isUndo = (line) => line.action === "undo" || line.action === "redo";

  // Ids of lines that count, oldest first, and of those that were undone, latest last.
  function stacks(lines) {
    let done = [], taken = [];
    for (const line of lines) {
      if (line.action === "undo") {
        done = done.filter((id) => id !== line.value);
        taken.push(line.value);
      } else if (line.action === "redo") {
        taken = taken.filter((id) => id !== line.value);
        done.push(line.value);
      } else {
        done.push(line.id);
        taken = [];
      }
    }
    return {done, taken};
  }

  // The sighting of a worm that is nearest to a column: index in its lists.
  function nearest(worm, column) {
    let best = 0;
    worm.seen.forEach((seen, index) => {
      if (Math.abs(seen - column) < Math.abs(worm.seen[best] - column)) best = index;
    });
    return best;
  }

  function time(now) {
    return now.toISOString().slice(0, 19) + "Z";
  }

  // Returns the line that an action of a person appends; `at` is a column of the strip.
  function line(data, lines, scorer, worm, action, at, more, now) {
    const index = nearest(worm, at), anchor = worm.seen[index];
    const call = {dead: worm.dead, alive: worm.dead, censored: worm.dead,
      last_healthy: worm.stopped}[action];
    return {
      id: lines.reduce((most, one) => Math.max(most, one.id), 0) + 1,
      time_utc: time(now || new Date()), scorer, plate: data.plate, digest: data.digest,
      track: worm.track, timepoint: data.timepoints[at],
      anchor_timepoint: data.timepoints[anchor],
      y_px: worm.y[index], x_px: worm.x[index], action, value: "", reason: "",
      machine_value: call === undefined || call < 0 ? "" : data.timepoints[call], blind: 0,
      time_h: data.hours[at],
      ...more,
    };
  }

  // Returns the line that leaves the whole plate out.
  function ofPlate(data, lines, scorer, at, reason, blind, now) {
    return {
      id: lines.reduce((most, one) => Math.max(most, one.id), 0) + 1,
      time_utc: time(now || new Date()), scorer, plate: data.plate, digest: data.digest,
      track: NO_TRACK, timepoint: data.timepoints[at], anchor_timepoint: data.timepoints[at],
      y_px: 0, x_px: 0, action: "exclude_plate", value: "", reason, machine_value: "", blind,
      time_h: data.hours[at],
    };
  }

  // What the line says of a worm that is the same as another: which, and where that was last seen.
  function sameAs(data, other) {
    const index = other.seen.length - 1;
    return {value: other.track, reason:
      `t${data.timepoints[other.seen[index]]} y${other.y[index].toFixed(1)} x${other.x[index].toFixed(1)}`};
  }

  // The columns at which the machine, from the picture alone, sees another state than before, and
  // those at which its calls are: where a person will want to look.
  function changes(worm, hidden) {
    const found = new Set(hidden ? [] : [worm.stopped, worm.dead].filter((at) => at >= 0));
    for (let place = 1; place < worm.seen.length && !hidden; place += 1)
      if (worm.looks[place] !== worm.looks[place - 1]) found.add(worm.seen[place]);
    return [...found].sort((a, b) => a - b);
  }

  function jump(worm, at, by, hidden) {
    const there = changes(worm, hidden).filter((one) => (by > 0 ? one > at : one < at));
    return there.length ? there[by > 0 ? 0 : there.length - 1] : at;
  }

  // What a person says of a worm, in words; `nameOf` gives the name of a worm of the page.
  function words(data, own, nameOf) {
    const at = (one) => `day ${data.days[data.timepoints.indexOf(one.timepoint)]}`;
    const said = [];
    if (own.kind && own.kind.action === "several") said.push(`${own.kind.value} worms`);
    else if (own.kind && own.kind.action === "same_as") {
      const other = data.worms.findIndex((one) => one.track === own.kind.value);
      said.push(`same as ${other < 0 ? `track ${own.kind.value}` : nameOf(other)}`);
    } else if (own.kind) said.push(own.kind.action.replaceAll("_", " "));
    if (own.healthspan_end) said.push(`last healthy ${at(own.healthspan_end)}`);
    if (own.death) said.push(`${own.death.action} ${at(own.death)}${own.death.reason ? `, ${own.death.reason}` : ""}`);
    if (own.checked) said.push("checked");
    return said.join("; ");
  }

  // The column of the last picture before another; -1 if there is none.
  function before(data, column) {
    for (let at = column - 1; at >= 0; at -= 1) if (data.usable[at]) return at;
    return -1;
  }

  // What others say of a worm, in words, and whether they differ. `found` has a list of the lines of
  // each by name; who said nothing of a worm differs from nobody.
  function others(data, found, track, nameOf) {
    const said = Object.entries(found).map(([name, lines]) => [name, calls(data, lines)[track]])
      .filter(([, own]) => own);
    const told = said.map(([name, own]) => `${name}: ${words(data, own, nameOf)}`);
    const one = (own, slot) => {
      const line = own[slot];
      // Of who says something else of it, it counts.
      if (!line && slot === "kind") return "counts";
      if (!line) return own.checked ? asMachine(data, track, slot) : null;
      return slot === "kind" ? `${line.action} ${line.value}` : `${line.action} ${line.timepoint}`;
    };
    const differ = ["death", "healthspan_end", "kind"].some((slot) => {
      const calls = said.map(([, own]) => one(own, slot)).filter((call) => call !== null);
      return new Set(calls).size > 1;
    });
    return {told, differ};
  }

  // The machine's call as a person would say it.
  function asMachine(data, track, slot) {
    const worm = data.worms.find((one) => one.track === track);
    if (slot === "death" && worm.dead >= 0) return `dead ${data.timepoints[worm.dead]}`;
    const moved = before(data, worm.stopped);
    if (slot === "healthspan_end" && moved >= 0) return `last_healthy ${data.timepoints[moved]}`;
    return slot;
  }

  // Seconds that a worm took so far, by the times of the lines; longer pauses do not count.
  function pace(data, lines) {
    const times = lines.map((one) => Date.parse(one.time_utc) / 1000);
    let spent = 0;
    for (let place = 1; place < times.length; place += 1) {
      const gap = times[place] - times[place - 1];
      if (gap >= 0 && gap <= LONGEST_PAUSE_S) spent += gap;
    }
    const worms = new Set(lines.map((one) => one.track)).size;
    return worms > 1 ? spent / (worms - 1) : null;
  }

  // Returns the line that undoes the latest that counts, or does the latest undone again.
  function undo(data, lines, action, blind, now) {
    const {done, taken} = stacks(lines);
    const value = action === "undo" ? done[done.length - 1] : taken[taken.length - 1];
    if (value === undefined) return null;
    const of = lines.find((one) => one.id === value);
    return {...of, id: Math.max(...lines.map((one) => one.id)) + 1, time_utc: time(now || new Date()),
      action, value, reason: "", machine_value: "", blind};
  }

  // What counts, by track and slot: the latest of each; what a worm is not cannot be checked.
  function calls(data, lines) {
    const counts = new Set(stacks(lines).done), found = {};
    for (const one of lines) {
      if (isUndo(one) || !counts.has(one.id) || one.digest !== data.digest) continue;
      (found[one.track] = found[one.track] || {})[SLOT[one.action]] = one;
    }
    return found;
  }

  // A letter a column: h, i, d; c no longer watched; - before it was followed, x no worm. Where the
  // machine's calls are `hidden`, what a person did not say is - as well.
  function states(data, worm, own, hidden) {
    const column = (one) => data.timepoints.indexOf(one.timepoint);
    let {stopped, dead, last} = hidden ? {stopped: -1, dead: -1, last: data.timepoints.length - 1} : worm;
    if (stopped < 0) stopped = data.timepoints.length;
    if (dead < 0) dead = data.timepoints.length;
    const kind = own.kind && own.kind.action;
    if (kind === "not_a_worm" || kind === "same_as" || (!worm.individual && !own.kind && !own.death && !own.healthspan_end))
      return "x".repeat(data.timepoints.length);
    if (own.death) {
      const at = column(own.death);
      if (own.death.action === "dead") {
        dead = at;
        stopped = Math.min(stopped, at);
        last = data.timepoints.length - 1;
      } else if (own.death.action === "censored" || dead <= at) {
        dead = data.timepoints.length;
        last = at;
      }
    }
    if (own.healthspan_end) {
      const at = column(own.healthspan_end) + 1;
      if (at <= dead) stopped = at;
    }
    const first = worm.seen.length ? worm.seen[0] : 0;
    return data.timepoints.map((_, at) => {
      if (at > last && dead >= data.timepoints.length) return "c";
      if (at >= dead) return "d";
      if (at >= stopped) return "i";
      return (hidden || at < first) && !own.healthspan_end ? "-" : "h";
    }).join("");
  }

  // A call that the workflow will not apply, in words; empty if there is none. Where the machine's
  // calls are `hidden`, the words do not tell them either.
  function contradiction(data, worm, own, hidden) {
    if (!own.healthspan_end || (own.kind && ["not_a_worm", "same_as"].includes(own.kind.action))) return "";
    const moves = data.timepoints.indexOf(own.healthspan_end.timepoint);
    let dead = hidden ? -1 : worm.dead, last = data.timepoints.length - 1;
    if (hidden && !own.death) return "say also when it died, or that it is alive";
    if (own.death) {
      const at = data.timepoints.indexOf(own.death.timepoint);
      if (own.death.action === "dead") dead = at;
      else if (own.death.action === "censored" || (dead >= 0 && dead <= at)) {
        dead = -1;
        last = at;
      }
    }
    if (dead >= 0 && moves >= dead) return "moves after its death: say when it died, or that it is alive";
    return moves > last ? "moves after it was last watched" : "";
  }

  function text(data, lines) {
    const place = (one) => ({...one, y_px: one.y_px.toFixed(1), x_px: one.x_px.toFixed(1)});
    const rows = lines.map((one) => data.columns.map((name) => String(place(one)[name])).join("\t"));
    return [data.columns.join("\t"), ...rows].join("\n") + "\n";
  }

  // Reads a file that this page or the workflow wrote; throws a sentence.
  function parse(data, content, scorer) {
    const [head, ...rows] = content.replace(/^\ufeff/, "").split(/\r?\n/).filter((row) => row.trim());
    // A file that was begun before lines had their time lacks the last column.
    const older = data.columns.slice(0, -1), columns = head === older.join("\t") ? older : data.columns;
    if (head !== columns.join("\t")) throw new Error("this is no file of corrections");
    const whole = ["id", "track", "timepoint", "anchor_timepoint", "blind"];
    let last = 0;
    return rows.map((row, number) => {
      const cells = row.split("\t"), one = {time_h: ""};
      if (cells.length !== columns.length) throw new Error(`line ${number + 2} has other cells`);
      columns.forEach((name, place) => { one[name] = cells[place]; });
      for (const name of whole) one[name] = Number(one[name]);
      one.y_px = Number(one.y_px);
      one.x_px = Number(one.x_px);
      if (one.time_h !== "") one.time_h = Number(one.time_h);
      if (one.value !== "") one.value = Number(one.value);
      if (one.plate !== data.plate) throw new Error(`line ${number + 2} is of plate ${one.plate}`);
      if (one.scorer !== scorer) throw new Error(`line ${number + 2} is of scorer ${one.scorer}`);
      if (!(one.id > last)) throw new Error(`line ${number + 2} has an id out of order`);
      last = one.id;
      return one;
    });
  }

  // Lines of a file and behind them those that it lacks, with ids of their own; an undo of what is not
  // there, or was undone, is left out.
  function joined(there, own) {
    const key = (one) => ["time_utc", "action", "track", "timepoint", "value", "reason"]
      .map((name) => one[name]).join("\t");
    const known = new Map(there.map((one) => [key(one), one.id])), ids = new Map(), lines = [...there];
    for (const one of own) {
      if (known.has(key(one))) {
        ids.set(one.id, known.get(key(one)));
        continue;
      }
      let {value} = one;
      if (isUndo(one)) {
        // Of a line that is not among these, its place tells whether the file has the same.
        const mine = ids.has(value);
        if (mine) value = ids.get(value);
        const of = lines.find((other) => other.id === value && !isUndo(other));
        if (!of || (!mine && (of.track !== one.track || of.timepoint !== one.timepoint))
          || stacks(lines).done.includes(value) !== (one.action === "undo")) continue;
      }
      const id = lines.reduce((most, other) => Math.max(most, other.id), 0) + 1;
      ids.set(one.id, id);
      lines.push({...one, id, value});
    }
    return lines;
  }

  // Orders of the worms; those that the machine does not count come last.
  function order(data, how) {
    const worms = data.worms.map((worm, index) => ({worm, index}));
    const key = {
      confidence: ({worm}) => [worm.confidence === null ? -1 : worm.confidence],
      death: ({worm}) => [worm.dead < 0 ? 1e9 : worm.dead, worm.stopped < 0 ? 1e9 : worm.stopped],
      place: ({worm}) => [Math.floor((worm.y[0] || 0) / 300), worm.x[0] || 0],
      number: ({worm}) => [worm.individual],
      // The order of a blind review tells nothing, and is the same each time.
      blind: ({worm}) => [(worm.track * 2654435761) % 4294967296],
    }[how];
    const keyed = worms.map((one) => [...(how === "blind" ? [] : [one.worm.individual ? 0 : 1]),
      ...key(one), one.index]);
    keyed.sort((a, b) => {
      for (let place = 0; place < a.length; place += 1) if (a[place] !== b[place]) return a[place] - b[place];
      return 0;
    });
    return keyed.map((one) => one[one.length - 1]);
  }

  return {NO_TRACK, stacks, joined, nearest, line, ofPlate, sameAs, changes, jump, words, before, others, pace, undo, calls, states,
    contradiction, text, parse, order};
})();
if (typeof module !== "undefined") module.exports = Corrections;
