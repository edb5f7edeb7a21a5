
// One client: its sessions, what it offers, what has happened to it. Or one device, and all sessions of its uid.

class Detail {
  constructor() {
    this.dialog = byId('detail');
    this.body = byId('detail-body');
    this.dialog.addEventListener('click', (event) => { if (event.target === this.dialog) this.dialog.close(); });
  }

  openClient(address) {
    return this.open('client', address, 'clients', (answer) => this.describe(answer));
  }

  openDevice(name) {
    return this.open('device', name, 'devices', ({ devices }) => devices.flatMap((device) => this.describeDevice(device)));
  }

  async open(kind, name, list, describe) {
    const asked = `api/v1/${list}/${encodeURIComponent(name)}`;
    this.asked = asked;
    byId('detail-title').textContent = name;
    this.body.replaceChildren(element('p', 'quiet', 'Looking…'));
    this.dialog.showModal();
    let parts;
    try {
      parts = describe(await getJson(asked));
    } catch (error) {
      parts = [element('p', '', `This ${kind} cannot be shown: ${error.message}`)];
    }
    if (this.asked === asked) this.body.replaceChildren(...parts);
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
      this.facts(facts),
      ...this.section('Sessions', sessions, (session) => [this.sessionText(session)]),
      ...this.section('History', changes.toReversed(), (change) => [timeElement(change.time, fullTimes.format(new Date(change.time))), `${change.kind} ${change.methods || describeReason(change.reason)}`]),
      ...this.section('Refused', rejects, (reject) => [timeElement(reject.time, fullTimes.format(new Date(reject.time))), `${reject.code} ${reject.message}`]),
    ];
  }

  describeDevice(device) {
    const { status } = device;
    const from = `${status.address}:${status.client_port}`;
    const facts = [
      ['Status', `${status.state}, heard ${describeAge(status.silent_seconds)} ago`],
      ['Session', `session ${status.session}, for ${describeAge(status.age_seconds)}`],
      ['From', `${from}${status.port === 0 ? ', no registration' : `, port ${status.port}`}${status.dtls ? ', DTLS' : ''}`],
      ['Host', device.host || 'none'],
      ['Device', [status.type, status.version, device.system].filter((text) => text !== '').join(' · ') || 'nothing said'],
      ['Group', status.group],
      ['Screen', `${device.rows} × ${device.columns}`],
      ['Round trip', status.rtt_milliseconds === null ? 'not measured yet' : describeDuration(status.rtt_milliseconds / 1000)],
      ['Messages', `${numbers.format(device.sent)} sent, ${numbers.format(device.repeated)} of them again; ${numbers.format(device.received)} received, ${numbers.format(device.duplicates + device.out_of_order)} of no use; ${numbers.format(device.inputs)} inputs`],
      ['It says', device.string],
    ];
    return [
      this.facts(facts),
      ...this.section('Rules', device.rules, (rule) => [rule]),
      ...this.section('Alerts', device.alerts, (alert) => [timeElement(alert.time, fullTimes.format(new Date(alert.time))), `${alert.code} ${alert.message}`]),
    ];
  }

  facts(facts) {
    return element('dl', '', '', facts.flatMap(([name, text]) => [element('dt', '', name), element('dd', '', text)]));
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
