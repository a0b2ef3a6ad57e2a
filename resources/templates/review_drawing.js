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
// The worms on the picture of the plate, where they lie at a timepoint.
const Plate = (() => {
  const DOT_PX = 2.5, RING_PX = 10, NEAR_PX = 30;

  function places(data, column) {
    return data.worms.map((one) => {
      const at = Corrections.nearest(one, column);
      return [one.x[at] / data.width_px, one.y[at] / data.height_px];
    });
  }

  // `looked` tells of an index whether somebody looked at it; with `names` each is written.
  function draw(canvas, data, column, current, looked, names) {
    const {width, height} = canvas.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
    if (!width) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = "600 12px system-ui, sans-serif";
    places(data, column).forEach(([x, y], index) => {
      pen.beginPath();
      pen.arc(x * width, y * height, names ? DOT_PX + 1 : DOT_PX, 0, 2 * Math.PI);
      pen.lineWidth = 1.5;
      pen.strokeStyle = data.worms[index].individual ? "#ffd400" : "#ffffff";
      pen.fillStyle = looked(index) ? pen.strokeStyle : "rgba(0, 0, 0, 0.35)";
      pen.fill();
      pen.stroke();
      if (index !== current) return;
      for (const [colour, wide] of [["#fff", 6], ["#0b57d0", 3]]) {
        pen.beginPath();
        pen.arc(x * width, y * height, RING_PX, 0, 2 * Math.PI);
        pen.lineWidth = wide;
        pen.strokeStyle = colour;
        pen.stroke();
      }
    });
    if (!names) return;
    // Numbers lie over all dots; one that would reach out of the picture stands on the other side.
    places(data, column).forEach(([x, y], index) => {
      const name = names(index), long = pen.measureText(name).width;
      const left = x * width + 7 + long > width ? x * width - 7 - long : x * width + 7;
      pen.lineWidth = 3;
      pen.strokeStyle = "rgba(0, 0, 0, 0.75)";
      pen.strokeText(name, left, y * height + 4);
      pen.fillStyle = index === current ? "#9ecbff" : "#ffffff";
      pen.fillText(name, left, y * height + 4);
    });
  }

  // The worm that was clicked, -1 where none is near.
  function clicked(canvas, data, column, event) {
    const box = canvas.getBoundingClientRect();
    let best = -1, least = NEAR_PX;
    places(data, column).forEach(([x, y], index) => {
      const away = Math.hypot(x * box.width - event.clientX + box.left, y * box.height - event.clientY + box.top);
      if (away < least) [best, least] = [index, away];
    });
    return best;
  }

  return {draw, clicked};
})();
