
// One client: its sessions, what it offers, what has happened to it.

class Detail {
  constructor() {
    this.dialog = byId('detail');
    this.body = byId('detail-body');
    this.dialog.addEventListener('click', (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  async open(address) {
    this.address = address;
    byId('detail-title').textContent = address;
    this.body.replaceChildren(element('p', 'quiet', 'Looking…'));
    this.dialog.showModal();
    let parts;
    try {
      parts = this.describe(await getJson(`api/v1/clients/${encodeURIComponent(address)}`));
    } catch (error) {
      parts = [element('p', '', `This client cannot be shown: ${error.message}`)];
    }
    if (this.address === address) this.body.replaceChildren(...parts);
  }

  describe({ client, sessions, changes, rejects }) {
    const facts = [
      ['Status', client.status],
      ['Methods', client.methods === '' ? 'none: nobody can connect to it' : client.methods],
      ['Here since', client.status === 'removed' ? '–' : `${fullTimes.format(new Date(client.since))} (${describeAge(ageOf(client.since))})`],
      ...(client.reason ? [['Why removed', describeReason(client.reason)]] : []),
      ['Last heard', client.last_heard === null ? 'not known' : `${describeAge(ageOf(client.last_heard))} ago`],
    ];
    return [
      element('dl', '', '', facts.flatMap(([name, text]) => [element('dt', '', name), element('dd', '', text)])),
      ...this.section('Sessions', sessions, (session) => [this.sessionText(session)]),
      ...this.section('History', changes.toReversed(), (change) => [timeElement(change.time, fullTimes.format(new Date(change.time))), `${change.kind} ${change.methods || describeReason(change.reason)}`]),
      ...this.section('Refused', rejects, (reject) => [timeElement(reject.time, fullTimes.format(new Date(reject.time))), `${reject.code} ${reject.message}`]),
    ];
  }

  sessionText(session) {
    const notes = [`session ${session.session}`, `heard ${describeAge(session.silent_seconds)} ago`];
    if (session.tls) notes.push('TLS');
    if (session.slowed) notes.push('slowed: its heartbeats come too fast');
    if (session.waiting_bytes > 0) notes.push(`${describeBytes(session.waiting_bytes)} wait for it`);
    return notes.join(' · ');
  }

  section(title, entries, parts) {
    if (entries.length === 0) return [];
    return [element('h3', '', title), element('ul', '', '', entries.map((entry) => element('li', '', '', parts(entry))))];
  }
}
