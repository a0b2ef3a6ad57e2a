// Keeps the lines of a scorer in the browser, and beside the results where the page was served or a
// folder was picked. `state` has scorer and lines; `say` tells the person, `draw` shows the lines.
function Saving(data, state, token, say, draw) {
  const RETRY_MS = 5000;
  // Which files hold whose lines: that of this scorer, and the lines that are in it.
  const picked = {folder: null, file: null, written: 0, busy: false};
  const storageKey = () => `snakescope:${data.plate}:${data.digest}:${state.scorer}`;

  function keep() {
    try {
      localStorage.setItem(storageKey(), Corrections.text(data, state.lines));
      // How many of them are in the file, as far as this page knows: others are not to be lost.
      localStorage.setItem(`${storageKey()}:saved`, String(token ? state.saved : picked.written));
      return true;
    } catch (error) {
      say("not kept by this browser: download the file", true);
      return false;
    }
  }

  const known = () => Number(localStorage.getItem(`${storageKey()}:saved`) || 0);
  const now = () => new Date().toTimeString().slice(0, 8);

  function save() {
    const kept = keep();
    if (token) send();
    else if (picked.file) write();
    else if (kept) say(`kept in this browser ${now()}`);
  }

  // Sends the lines that the server does not have, in order; what fails is tried again.
  async function send() {
    if (state.sending || !state.read) return state.read ? undefined : load();
    state.sending = true;
    const {scorer} = state;
    try {
      while (state.scorer === scorer && state.saved < state.lines.length) {
        say("saving");
        const lines = state.lines.slice(state.saved, state.saved + 50);
        const answer = await fetch("/api/corrections", {method: "POST",
          body: JSON.stringify({plate: data.plate, scorer, lines}),
          headers: {"Content-Type": "application/json", "X-Snakescope-Token": token.content}});
        if (!answer.ok) throw Object.assign(new Error(await answer.text()), {refused: answer.status < 500});
        if (state.scorer === scorer) {
          state.saved += lines.length;
          keep();
        }
      }
      say(`saved ${now()}`);
    } catch (error) {
      say(`not saved, kept in this browser: ${error.message}; reload the page, or download the file`, true);
      // What is refused would be again.
      if (!error.refused) setTimeout(send, RETRY_MS);
    } finally {
      state.sending = false;
    }
  }

  // The lines that the server has, then those that only this browser has, which are sent.
  async function merge() {
    const query = `plate=${encodeURIComponent(data.plate)}&scorer=${encodeURIComponent(state.scorer)}`;
    const answer = await fetch(`/api/corrections?${query}`, {headers: {"X-Snakescope-Token": token.content}});
    if (!answer.ok) throw new Error(await answer.text());
    const there = Corrections.parse(data, await answer.text(), state.scorer);
    state.read = true;
    state.saved = there.length;
    const more = take(there);
    keep();
    if (more) return send();
  }

  // Shows the lines of a file; whether this browser has more, which are then to be saved.
  function take(there) {
    const both = Math.min(there.length, state.lines.length);
    const same = there.slice(0, both).every((one, place) => state.lines[place].id === one.id
      && state.lines[place].time_utc === one.time_utc && state.lines[place].action === one.action);
    if (same && state.lines.length > there.length) return true;
    if (same) {
      state.lines = there;
      say(`${there.length} lines read`);
      return false;
    }
    // Somebody else wrote to the file: what it never had goes behind it.
    state.lines = Corrections.joined(there, state.lines.slice(known()));
    const added = state.lines.length - there.length;
    say(added ? `the file has other lines than this browser kept: ${added} of this browser come after them`
      : "the file has other lines than this browser kept; those of the file are shown", true);
    return added > 0;
  }

  // Has the person pick the folder of corrections, and reads and writes the file of the plate there.
  async function pick() {
    try {
      picked.folder = await window.showDirectoryPicker({id: "corrections", mode: "readwrite"});
    } catch (error) {
      if (error.name !== "AbortError") say(`no folder was opened: ${error.message}`, true);
      return;
    }
    await openPicked();
  }

  async function openPicked() {
    picked.file = null;
    if (!picked.folder || !state.scorer) return;
    const name = `${data.plate}.${state.scorer}.tsv`;
    try {
      const file = await picked.folder.getFileHandle(name, {create: true});
      const text = await (await file.getFile()).text();
      const there = text.trim() ? Corrections.parse(data, text, state.scorer) : [];
      picked.file = file;
      picked.written = there.length;
      if (take(there)) await write();
      else keep();
      draw();
    } catch (error) {
      say(`${name}: ${error.message}; nothing was written to it`, true);
    }
  }

  // Writes all lines; a file is replaced once all of it is written. What is said meanwhile comes next.
  async function write() {
    if (picked.busy) return;
    picked.busy = true;
    try {
      while (picked.file && picked.written < state.lines.length) {
        const {file} = picked, count = state.lines.length;
        const stream = await file.createWritable();
        await stream.write(Corrections.text(data, state.lines));
        await stream.close();
        if (file === picked.file) {
          picked.written = count;
          keep();
        }
      }
      say(`saved in ${picked.folder.name}/ ${now()}`);
    } catch (error) {
      say(`not saved, kept in this browser: ${error.message}; pick the folder again`, true);
      picked.file = null;
    } finally {
      picked.busy = false;
    }
  }

  // Who decides between scorers sees what they said; the others see only their own.
  async function readOthers() {
    state.others = {};
    if (state.scorer !== data.adjudicated) return;
    const headers = {"X-Snakescope-Token": token.content}, plate = encodeURIComponent(data.plate);
    const names = await (await fetch(`/api/scorers?plate=${plate}`, {headers})).json();
    for (const name of names.filter((one) => one !== data.adjudicated)) {
      const answer = await fetch(`/api/corrections?plate=${plate}&scorer=${encodeURIComponent(name)}`, {headers});
      if (answer.ok && state.scorer === data.adjudicated) {
        state.others[name] = Corrections.parse(data, await answer.text(), name);
      }
    }
  }

  // The lines that this browser kept of the scorer on pages of earlier tracks of a plate of this name.
  function earlier() {
    const begin = `snakescope:${data.plate}:`, end = `:${state.scorer}`;
    const found = Object.keys(localStorage).filter((key) => key.startsWith(begin) && key.endsWith(end)
      && /^[0-9a-f]+$/.test(key.slice(begin.length, -end.length)) && key !== storageKey());
    return found.map((key) => Corrections.parse(data, localStorage.getItem(key), state.scorer))
      .sort((a, b) => b.length - a.length).reduce(Corrections.joined, []);
  }

  // A file that is downloaded without them would replace that which has them. Another experiment may
  // have a plate of the same name, so the person is asked.
  function askForEarlier() {
    const lines = earlier(), alone = `${storageKey()}:alone`;
    if (!lines.length || localStorage.getItem(alone)) return;
    if (confirm(`This browser keeps ${lines.length} lines of ${state.scorer} on an earlier page of a plate ${data.plate}. Are they of this plate, and to be kept here too?`)) {
      state.lines = lines;
      keep();
    } else localStorage.setItem(alone, "1");
  }

  async function load() {
    state.lines = [];
    state.others = {};
    state.read = false;
    try {
      state.saved = picked.written = known();
      const kept = localStorage.getItem(storageKey());
      if (kept) state.lines = Corrections.parse(data, kept, state.scorer);
      else if (!token && state.scorer) askForEarlier();
    } catch (error) {
      say(`what this browser kept cannot be read: ${error.message}`, true);
    }
    draw();
    if (!token) return openPicked();
    if (!state.scorer) return;
    try {
      await merge();
      await readOthers();
      draw();
    } catch (error) {
      say(`not read: ${error.message}; what is said is kept in this browser`, true);
      setTimeout(() => { if (!state.read) load(); }, RETRY_MS);
    }
  }

  return {keep, save, load, pick, unsaved: () => picked.file && picked.written < state.lines.length};
}
