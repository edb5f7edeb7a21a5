
// The clients that are here: all of them in memory, and in the document only the rows that can be seen.

class Clients {
  constructor(onOpen) {
    this.all = new Map();
    this.shown = [];
    this.selected = null;
    this.rows = new Map();
    this.onOpen = onOpen;
    this.filter = '';
    this.order = 'address';
    this.loaded = false;
    this.drawing = false;
    this.list = byId('clients');
    this.spacer = byId('clients-spacer');
    this.list.addEventListener('scroll', () => this.drawSoon(), { passive: true });
    this.list.addEventListener('keydown', (event) => this.onKey(event));
    this.list.addEventListener('click', (event) => this.onClick(event));
    byId('search').addEventListener('input', (event) => this.search(event.target.value));
    byId('order').addEventListener('change', (event) => this.sortBy(event.target.value));
    new ResizeObserver(() => this.drawSoon()).observe(this.list);
  }

  get rowHeight() { return matchMedia('(max-width: 48rem)').matches ? 60 : 44; }

  replaceAll(clients) {
    this.all = new Map(clients.map((client) => [client.address, this.prepare(client)]));
    this.loaded = true;
    this.arrange();
  }

  prepare(client) {
    return { ...client, key: addressNumber(client.address), name: nameIn(client.methods), text: `${client.address} ${client.methods} ${client.status}`.toLowerCase() };
  }

  /** Those who were added, have other methods, or are gone. The caller draws once after many. */
  apply(change) {
    if (change.kind === 'removed') {
      this.all.delete(change.address);
      return;
    }
    const known = this.all.get(change.address);
    this.all.set(change.address, this.prepare({ address: change.address, methods: change.methods, status: 'connected', since: known?.since ?? change.time }));
  }

  search(text) {
    this.filter = text.trim().toLowerCase();
    this.list.scrollTop = 0;
    this.arrange();
  }

  sortBy(order) {
    this.order = order;
    this.list.scrollTop = 0;
    this.arrange();
  }

  /** What the search finds: a block of addresses, or else a part of what a row says. */
  matcher() {
    const [, network, bits] = /^(\d+\.\d+\.\d+\.\d+)\/(\d{0,2})$/.exec(this.filter) ?? [];
    if (network === undefined) return (client) => client.text.includes(this.filter);
    const size = 2 ** (32 - Math.min(bits === '' ? 32 : Number(bits), 32));
    const block = Math.floor(addressNumber(network) / size);
    return (client) => Math.floor(client.key / size) === block;
  }

  arrange() {
    const found = [...this.all.values()].filter(this.matcher());
    found.sort((one, other) => (this.order === 'since' && other.since.localeCompare(one.since)) || (this.order === 'name' && compareNames(one.name, other.name)) || one.key - other.key);
    this.shown = found;
    this.describe();
    this.drawSoon(true);
  }

  describe() {
    const total = numbers.format(this.all.size);
    byId('clients-count').textContent = this.filter === '' ? total : `${numbers.format(this.shown.length)} of ${total}`;
    const empty = this.loaded && this.shown.length === 0;
    this.list.hidden = empty;
    byId('clients-empty').hidden = !empty;
    if (!empty) return;
    const searched = this.filter !== '' && this.all.size > 0;
    byId('empty-headline').textContent = searched ? 'No client matches this.' : 'Nobody is here yet.';
    byId('empty-text').textContent = searched ? 'Search for a part of an address, a block such as 10.0.0.0/24, a name, a method such as tcp, or “waiting”.'
      : 'Clients appear here the moment they join: lekt join --server HOST';
  }

  /** `whole`: the rows that stay have new content or places. */
  drawSoon(whole = false) {
    this.whole = this.whole || whole;
    if (this.drawing) return;
    this.drawing = true;
    requestAnimationFrame(() => {
      this.drawing = false;
      this.draw();
    });
  }

  draw() {
    const height = this.rowHeight;
    if (this.whole || height !== this.drawnHeight) this.clear();
    this.whole = false;
    this.drawnHeight = height;
    this.spacer.style.height = `${this.shown.length * height}px`;
    const first = Math.max(0, Math.floor(this.list.scrollTop / height) - 6);
    const last = Math.min(this.shown.length, Math.ceil((this.list.scrollTop + this.list.clientHeight) / height) + 6);
    for (const [index, row] of this.rows) {
      if (index >= first && index < last) continue;
      row.remove();
      this.rows.delete(index);
    }
    for (let index = first; index < last; index += 1) if (!this.rows.has(index)) this.addRow(index, height);
    this.mark();
  }

  clear() {
    for (const row of this.rows.values()) row.remove();
    this.rows.clear();
  }

  addRow(index, height) {
    const client = this.shown[index];
    const since = element('span', 'since', describeAge(ageOf(client.since)));
    since.title = `Here since ${fullTimes.format(new Date(client.since))}`;
    if (client.status === 'waiting') since.append(element('span', 'badge', 'waiting'));
    const row = element('div', 'row', '', [element('span', 'address', client.address), methodChips(client.methods), since]);
    row.id = `client-${client.address}`;
    row.setAttribute('role', 'option');
    row.setAttribute('aria-posinset', index + 1);
    row.setAttribute('aria-setsize', this.shown.length);
    row.dataset.index = index;
    row.style.top = `${index * height}px`;
    this.rows.set(index, row);
    this.spacer.append(row);
  }

  mark() {
    for (const [index, row] of this.rows) row.setAttribute('aria-selected', this.shown[index].address === this.selected);
    const active = this.selected && byId(`client-${this.selected}`);
    if (active) this.list.setAttribute('aria-activedescendant', active.id);
    else this.list.removeAttribute('aria-activedescendant');
  }

  onClick(event) {
    const row = event.target.closest('.row');
    if (row) this.open(Number(row.dataset.index));
  }

  open(index) {
    const client = this.shown[index];
    if (!client) return;
    this.selected = client.address;
    this.mark();
    this.onOpen(client.address);
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.list.clientHeight / this.rowHeight) - 1);
    const at = this.shown.findIndex((client) => client.address === this.selected);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: this.shown.length - 1 };
    if (this.shown.length === 0 || !(event.key === 'Enter' || event.key in moves)) return;
    event.preventDefault();  // also of Enter: the button that gets the focus would take it and close the dialog
    if (event.key === 'Enter') this.open(at);
    else this.select(Math.min(Math.max(moves[event.key], 0), this.shown.length - 1));
  }

  select(index) {
    const height = this.rowHeight;
    this.selected = this.shown[index].address;
    this.list.scrollTop = Math.min(Math.max(this.list.scrollTop, (index + 1) * height - this.list.clientHeight), index * height);
    this.draw();
  }
}

/** Words such as tcp:7890 and name:"kitchen pi": they are separated by blanks, and text in quotation marks may have some. */
function methodWords(methods) { return methods.match(/(?:[^ "]|"(?:[^"\\]|\\.)*(?:"|$))+/g) ?? []; }

/** The first name, for people, without quotation marks; null if there is none. */
function nameIn(methods) {
  const word = methodWords(methods).find((method) => method.startsWith('name:'));
  return word === undefined ? null : word.slice('name:'.length).replace(/^"(.*)"$/, '$1').replace(/\\(["\\])/g, '$1');
}

/** Those without a name come last. */
function compareNames(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  return one.localeCompare(other, undefined, { sensitivity: 'base' });
}

function methodChips(methods) {
  const chips = methodWords(methods).map((method) => {
    const chip = element('span', 'chip', method);
    chip.title = method;
    return chip;
  });
  return element('span', 'methods', '', chips.length > 0 ? chips : [element('span', 'quiet', 'no methods')]);
}
