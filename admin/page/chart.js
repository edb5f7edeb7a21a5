
// A small area chart of the last hour, or of the time since the first sample. The drawing is stretched to its box by SVG, so a resize draws nothing.

const chartSeconds = 3600;
const chartSecondsMin = 300;  // the scale of a server that has just started
const chartGap = 35;  // seconds without a sample that break the line
const svgSpace = 'http://www.w3.org/2000/svg';

function svgElement(tag, name, attributes = {}) {
  const made = document.createElementNS(svgSpace, tag);
  if (name) made.setAttribute('class', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A little more, with few digits: what the top of a scale is called. */
function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((step) => step >= value * 0.9999);
}

class Chart {
  /** `value` and `upper` read a sample; `describe` makes words of a value. */
  constructor(id, { title, unit = '', value, upper, upperName = '', describe, least = 1 }) {
    Object.assign(this, { title, unit, value, upper, describe, least, samples: [], present: 0, span: chartSeconds });
    this.figure = byId(id);
    this.now = element('p', 'now', '–');
    this.topLabel = element('span', 'top-label');
    this.none = element('p', 'none', 'The first point comes soon');
    this.cross = element('span', 'cross');
    this.tip = element('span', 'tip');
    this.svg = svgElement('svg', '', { viewBox: '0 0 1000 100', preserveAspectRatio: 'none', role: 'img' });
    this.plot = element('div', 'plot', '', [this.svg, this.topLabel, this.none, this.cross, this.tip]);
    this.begin = element('span');
    this.figure.append(element('figcaption', '', title), this.now, this.plot,
      element('div', 'scale', '', [this.begin, element('span', 'legend', upperName), element('span', '', 'now')]));
    this.plot.addEventListener('pointermove', (event) => this.point(event));
    this.plot.addEventListener('pointerleave', () => this.pointAway());
    this.pointAway();
  }

  /** The large number, `value` in words; `note` is put behind it. The line ends there with the next draw. */
  setNow(value, text = this.describe(value), note = this.unit) {
    this.present = value;
    this.now.replaceChildren(text, ...(note === '' ? [] : [element('small', '', ` ${note}`)]));
  }

  draw(samples, until) {
    this.samples = samples;
    this.until = until;
    const age = samples.length > 0 ? until - samples[0].at : 0;
    this.span = Math.min(Math.max(age, chartSecondsMin), chartSeconds);
    this.begin.textContent = `${Math.ceil(this.span / 60)} min ago`;
    this.none.hidden = samples.length > 0;
    const highest = Math.max(this.least, samples.length > 0 ? this.present : 0, ...samples.map((sample) => Math.max(this.value(sample), this.upper ? this.upper(sample) : 0)));
    this.top = roundUp(highest);
    this.topLabel.textContent = samples.length > 0 ? this.describe(this.top) : '';
    this.svg.replaceChildren(...(samples.length > 0 ? [0, 50, 100] : [100]).map((y) => svgElement('line', 'grid', { x1: 0, x2: 1000, y1: y, y2: y })));
    for (const run of this.runs()) {
      const ends = run.at(-1) === samples.at(-1) && until - run.at(-1).at <= chartGap;
      const line = this.path(run, this.value) + (ends ? `L1000 ${this.y(this.present).toFixed(2)}` : '');
      this.svg.append(svgElement('path', 'area', { d: `${line}V100H${this.x(run[0])}Z` }));
      if (this.upper) this.svg.append(svgElement('path', 'upper', { d: this.path(run, this.upper) }));
      this.svg.append(svgElement('path', 'line', { d: line }));
    }
    this.svg.setAttribute('aria-label', this.words());
  }

  x(sample) { return ((sample.at - this.until) / this.span + 1) * 1000; }
  y(value) { return 100 - (value / this.top) * 96; }

  path(run, read) {
    const points = run.map((sample) => `${this.x(sample).toFixed(1)} ${this.y(read(sample)).toFixed(2)}`);
    return points.length > 1 ? `M${points.join('L')}` : `M${points[0]}h2`;
  }

  /** Samples that follow each other without a gap. */
  runs() {
    const runs = [];
    let before = -Infinity;
    for (const sample of this.samples) {
      if (sample.at - before > chartGap) runs.push([]);
      runs.at(-1).push(sample);
      before = sample.at;
    }
    return runs;
  }

  words() {
    if (this.samples.length === 0) return `${this.title}: no samples yet`;
    const values = this.samples.map(this.value);
    const named = (value) => `${this.describe(value)} ${this.unit}`.trim();
    return `${this.title} in the last ${Math.ceil(this.span / 60)} minutes: now ${named(this.present)}, lowest ${named(Math.min(...values))}, highest ${named(Math.max(...values))}`;
  }

  point(event) {
    if (this.samples.length === 0) return;
    const box = this.plot.getBoundingClientRect();
    const at = this.until - this.span * (1 - (event.clientX - box.left) / box.width);
    const nearest = this.samples.reduce((best, sample) => (Math.abs(sample.at - at) < Math.abs(best.at - at) ? sample : best));
    const share = this.x(nearest) / 1000;
    this.cross.hidden = this.tip.hidden = false;
    this.cross.style.left = `${share * 100}%`;
    const most = this.upper ? `, at most ${this.describe(this.upper(nearest))}` : '';
    this.tip.textContent = `${clockTimes.format(new Date(nearest.time))}  ${this.describe(this.value(nearest))} ${this.unit}${most}`;
    this.tip.style.left = `${Math.min(Math.max(share * box.width - this.tip.offsetWidth / 2, 0), box.width - this.tip.offsetWidth)}px`;
  }

  pointAway() { this.cross.hidden = this.tip.hidden = true; }
}
