// Strips of worms: their pictures, taken from the end of the page once a row is looked at, and the
// bars under them. Of a plate of a hundred worms few are in view.
const Strips = (() => {
  const BAR_PX = 18, LOOKS_PX = 4;

  // Pictures and outlines of a worm; null while the browser still reads the page.
  function content(index) {
    const found = document.getElementsByClassName("of-strip")[index];
    if (!found) return null;
    if (!found.content) found.content = JSON.parse(found.textContent);
    return found.content;
  }

  // Puts the pictures into a row, once; whether they are there.
  function fill(row, index) {
    if (row.dataset.filled) return true;
    const own = content(index);
    if (!own) return false;
    const images = own.pictures.map((url) => {
      const image = document.createElement("img");
      image.alt = "";
      image.decoding = "async";
      image.src = url;
      return image;
    });
    row.querySelector(".strip").prepend(...images);
    row.dataset.filled = "1";
    return true;
  }

  function outlines(index) {
    const own = content(index);
    return own ? own.outlines : {};
  }

  // A letter a column, as of Corrections.states; above them what each picture alone looks like.
  function bar(canvas, letters, looks, usable, cell, colours) {
    const count = letters.length, left = BAR_PX - LOOKS_PX;
    canvas.width = count * cell;
    canvas.height = BAR_PX;
    canvas.style.width = `${count * cell}px`;
    const pen = canvas.getContext("2d");
    pen.font = "10px sans-serif";
    for (let at = 0; at < count; at += 1) {
      const letter = letters[at];
      if (looks[at]) {
        pen.fillStyle = colours[looks[at]];
        pen.fillRect(at * cell, 0, cell - 1, LOOKS_PX - 1);
      }
      pen.fillStyle = usable[at] ? colours[letter] : "#9aa0a6";
      pen.fillRect(at * cell, LOOKS_PX, cell - 1, left);
      if (!usable[at] || "-cx".includes(letter)) continue;
      if (at && letters[at - 1] === letter && at % 8) continue;
      pen.fillStyle = letter === "i" ? "#000" : "#fff";
      pen.fillText(letter.toUpperCase(), at * cell + 4, LOOKS_PX + 11);
    }
  }

  function outline(pen, points, size, cell) {
    pen.strokeStyle = "#ffd400";
    pen.lineWidth = 2;
    pen.beginPath();
    for (let place = 0; place < points.length; place += 2)
      pen.lineTo((points[place] + 0.5) * size / cell, (points[place + 1] + 0.5) * size / cell);
    pen.closePath();
    pen.stroke();
  }

  return {fill, outlines, bar, outline};
})();
