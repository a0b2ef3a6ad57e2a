// Keeps the lines of a scorer in the browser, and beside the results where the page was served. `state`
// has scorer and lines; `say` tells the person, `draw` shows the lines.
function Saving(data, state, token, say, draw) {
  const RETRY_MS = 5000;
  const storageKey = () => `snakescope:${data.plate}:${data.digest}:${state.scorer}`;

  function keep() {
    try {
      localStorage.setItem(storageKey(), Corrections.text(data, state.lines));
      return true;
    } catch (error) {
      say("not kept by this browser: download the file", true);
      return false;
    }
  }

  const now = () => new Date().toTimeString().slice(0, 8);

  function save() {
    const kept = keep();
    if (token) send();
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
        if (!answer.ok) throw Object.assign(new Error(await answer.text()), {refused: true});
        if (state.scorer === scorer) state.saved += lines.length;
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
    const known = Math.min(there.length, state.lines.length);
    const same = there.slice(0, known).every((one, place) => state.lines[place].id === one.id
      && state.lines[place].time_utc === one.time_utc && state.lines[place].action === one.action);
    state.read = true;
    state.saved = there.length;
    if (same && state.lines.length > there.length) return send();
    if (!same) localStorage.setItem(`${storageKey()}:other`, Corrections.text(data, state.lines));
    state.lines = there;
    say(same ? `${there.length} lines read` : "the file has other lines than this browser kept; those of the file are shown", !same);
  }

  async function load() {
    state.lines = [];
    state.read = false;
    try {
      const kept = localStorage.getItem(storageKey());
      if (kept) state.lines = Corrections.parse(data, kept, state.scorer);
    } catch (error) {
      say(`what this browser kept cannot be read: ${error.message}`, true);
    }
    draw();
    if (!token || !state.scorer) return;
    try {
      await merge();
      draw();
    } catch (error) {
      say(`not read: ${error.message}; what is said is kept in this browser`, true);
      setTimeout(() => { if (!state.read) load(); }, RETRY_MS);
    }
  }

  return {keep, save, load};
}
