/* A picture of any size on a canvas: tiles of a pyramid, moved and scaled. Places are (column, row) of the picture. */

import { blob } from "./api.js";

const MOST_TILES = 220;
const MOST_LOADING = 6;

export class Viewer {
  constructor(canvas, onDraw) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.onDraw = onDraw;
    this.map = null;
    this.scale = 1; this.left = 0; this.top = 0;
    this.tiles = new Map();
    this.loading = 0;
    this.waiting = false;
    this.ratio = 1; this.width = 1; this.height = 1;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.resize();
  }

  show(map) {
    if (this.map?.id === map.id) return;
    this.map = map;
    this.tiles.clear();
    this.fit();
  }

  resize() {
    const box = this.canvas.getBoundingClientRect();
    const before = [this.width, this.height];
    this.ratio = window.devicePixelRatio || 1;
    this.width = Math.max(box.width, 1); this.height = Math.max(box.height, 1);
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    if (before[0] === 1 && this.map) this.fit(); else this.redraw();
  }

  /* All of the picture, below the controls and above the line with the probe. */
  fit() {
    if (!this.map) return;
    const [pad, head, foot] = [16, 54, 44];
    const room = [this.width - 2 * pad, this.height - head - foot];
    this.scale = Math.max(Math.min(room[0] / this.map.width, room[1] / this.map.height), 1e-4);
    this.left = (this.map.width - this.width / this.scale) / 2;
    this.top = this.map.height / 2 - (head + room[1] / 2) / this.scale;
    this.redraw();
  }

  toScreen(x, y) { return [(x - this.left) * this.scale, (y - this.top) * this.scale]; }
  toPicture(x, y) { return [x / this.scale + this.left, y / this.scale + this.top]; }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const [col, row] = this.toPicture(x, y);
    const least = 0.3 * Math.min(this.width / this.map.width, this.height / this.map.height);
    this.scale = Math.min(Math.max(this.scale * factor, least), 64);
    this.left = col - x / this.scale; this.top = row - y / this.scale;
    this.keepInSight();
  }

  move(dx, dy) {
    this.left -= dx / this.scale; this.top -= dy / this.scale;
    this.keepInSight();
  }

  keepInSight() {
    const clamp = (value, low, high) => Math.min(Math.max(value, Math.min(low, high)), Math.max(low, high));
    const [wide, high] = [this.width / this.scale, this.height / this.scale];
    this.left = clamp(this.left, -0.75 * wide, this.map.width - 0.25 * wide);
    this.top = clamp(this.top, -0.75 * high, this.map.height - 0.25 * high);
    this.redraw();
  }

  lookAt(x, y) {
    const [sx, sy] = this.toScreen(x, y);
    if (sx > 30 && sy > 50 && sx < this.width - 30 && sy < this.height - 60) return;
    this.left = x - this.width / this.scale / 2; this.top = y - this.height / this.scale / 2;
    this.redraw();
  }

  redraw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => { this.waiting = false; this.draw(); });
  }

  draw() {
    if (!this.map) return;
    const began = performance.now();
    const c = this.context;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.fillStyle = getComputedStyle(this.canvas.parentElement).backgroundColor;
    c.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const level = this.levelFor(this.scale * this.ratio);
    this.wanted = [];
    c.imageSmoothingEnabled = this.scale * this.ratio < 3;
    if (!this.isThere(level)) {
      if (level < this.map.levels - 1) this.drawLevel(this.map.levels - 1);
      for (let coarse = this.map.levels - 2; coarse > level; coarse--) this.drawLevel(coarse, true);
    }
    this.drawLevel(level);
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.onDraw(c);
    this.load();
    this.lastDraw = performance.now() - began;
  }

  levelFor(scale) {
    return Math.min(Math.max(Math.floor(Math.log2(1 / scale) + 0.15), 0), this.map.levels - 1);
  }

  /* Column and row of the first and the last tile of a level that is seen. */
  seen(level) {
    const side = this.map.tile * 2 ** level;
    const [right, bottom] = this.toPicture(this.width, this.height);
    return {
      first: [Math.max(Math.floor(this.left / side), 0), Math.max(Math.floor(this.top / side), 0)],
      last: [Math.min(right, this.map.width - 0.01) / side, Math.min(bottom, this.map.height - 0.01) / side],
    };
  }

  isThere(level) {
    const { first, last } = this.seen(level);
    for (let row = first[1]; row <= last[1]; row++) {
      for (let column = first[0]; column <= last[0]; column++) {
        if (!this.tiles.get(`${level}/${column}/${row}`)?.image) return false;
      }
    }
    return true;
  }

  /* The tiles of a level that are seen; those not there yet are wanted, unless only what is there counts. */
  drawLevel(level, onlyThere = false) {
    const side = this.map.tile * 2 ** level;
    const { first, last } = this.seen(level);
    const k = this.scale * this.ratio;
    for (let row = first[1]; row <= last[1]; row++) {
      for (let column = first[0]; column <= last[0]; column++) {
        const key = `${level}/${column}/${row}`;
        const tile = this.tiles.get(key);
        if (!tile?.image) {
          if (!tile && !onlyThere) this.wanted.push({ key, level, column, row });
          continue;
        }
        this.tiles.delete(key); this.tiles.set(key, tile); // the last one used is the last one forgotten
        const x0 = Math.round((column * side - this.left) * k), y0 = Math.round((row * side - this.top) * k);
        const x1 = Math.round((column * side + tile.image.width * 2 ** level - this.left) * k);
        const y1 = Math.round((row * side + tile.image.height * 2 ** level - this.top) * k);
        this.context.drawImage(tile.image, x0, y0, x1 - x0, y1 - y0);
      }
    }
  }

  load() {
    const middle = this.toPicture(this.width / 2, this.height / 2);
    const away = (t) => {
      const side = this.map.tile * 2 ** t.level;
      return Math.hypot((t.column + 0.5) * side - middle[0], (t.row + 0.5) * side - middle[1]) - 1e7 * t.level;
    };
    this.wanted.sort((a, b) => away(a) - away(b));
    for (const tile of this.wanted) {
      if (this.loading >= MOST_LOADING) return;
      this.fetchTile(tile);
    }
  }

  async fetchTile({ key, level, column, row }) {
    const { map } = this;
    this.tiles.set(key, { image: null });
    this.loading += 1;
    try {
      const image = await createImageBitmap(await blob("tile", { level, column, row }));
      if (map === this.map) this.tiles.set(key, { image });
    } catch {
      setTimeout(() => { this.tiles.delete(key); this.redraw(); }, 1500);
    } finally {
      this.loading -= 1;
    }
    this.forget();
    this.redraw();
  }

  /* Tiles that were not drawn for longest make room; the coarsest stays. */
  forget() {
    for (const [key, tile] of this.tiles) {
      if (this.tiles.size <= MOST_TILES) return;
      if (!tile.image || key.startsWith(`${this.map.levels - 1}/`)) continue;
      tile.image.close();
      this.tiles.delete(key);
    }
  }
}
