/* A round glass with a crosshair over what is under the cursor, pixel by pixel. */

export function useMagnifier(viewer) {
  const glass = document.getElementById("magnifier");
  const c = glass.getContext("2d", { alpha: false });
  const side = glass.width;
  return (place, points) => {
    const times = Math.max(8, viewer.scale * 2.5);
    if (!place || !viewer.map) { glass.hidden = true; return; }
    glass.hidden = false;
    const [sx, sy] = viewer.toScreen(...place);
    const left = glass.classList.contains("left");
    const [reach, high] = [260, sy > viewer.height - 300]; // it gets out of the way, and does not flicker
    if (left ? sx < reach && high : sx > viewer.width - reach && high) glass.classList.toggle("left");
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = "#888"; c.fillRect(0, 0, side, side);
    c.imageSmoothingEnabled = false;
    const tile = viewer.map.tile;
    const half = side / 2 / times;
    for (let row = Math.floor((place[1] - half) / tile); row <= (place[1] + half) / tile; row++) {
      for (let column = Math.floor((place[0] - half) / tile); column <= (place[0] + half) / tile; column++) {
        const key = `0/${column}/${row}`;
        const there = viewer.tiles.get(key);
        if (there?.image) c.drawImage(there.image, (column * tile - place[0]) * times + side / 2, (row * tile - place[1]) * times + side / 2, there.image.width * times, there.image.height * times);
        else if (!there && row >= 0 && column >= 0 && row * tile < viewer.map.height && column * tile < viewer.map.width) viewer.fetchTile({ key, level: 0, column, row });
      }
    }
    for (const p of points) {
      const [x, y] = [(p.x - place[0]) * times + side / 2, (p.y - place[1]) * times + side / 2];
      c.strokeStyle = "#ffb000"; c.lineWidth = 2;
      c.beginPath(); c.arc(x, y, 7, 0, 7); c.stroke();
    }
    const m = side / 2;
    for (const [width, color] of [[3, "#ffffffb0"], [1, "#000"]]) {
      c.strokeStyle = color; c.lineWidth = width;
      c.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) { c.moveTo(m + 4 * dx, m + 4 * dy); c.lineTo(m + 60 * dx, m + 60 * dy); }
      c.stroke();
    }
  };
}
