
// Devices: there only while the server takes them. Groups are closed until somebody looks, and only then have rows.

const deviceRowsMax = 500;
const deviceAlertsMax = 20;
const deviceGroupings = {
  subnet: (device) => `${device.address.split('.').slice(0, 3).join('.')}.0/24`,
  type: (device) => device.type || 'type not known yet',
  group: (device) => device.group || 'group not known yet',
};

class Devices {
  /** `show(name)` opens the details of a device: its uid, or its address if it says none. */
  constructor(show) {
    this.show = show;
    this.all = [];
    this.open = new Set();
    this.list = byId('devices-groups');
    byId('devices-by').addEventListener('change', () => this.draw());
  }

  /** `totals`: null when the server takes no devices. */
  async refresh(totals) {
    byId('devices').hidden = totals === null;
    if (totals === null) return;
    this.describe(totals);
    try {
      const { devices } = await getJson('api/v1/devices');
      const { alerts } = await getJson(`api/v1/device-alerts?limit=${deviceAlertsMax}`);
      this.all = devices;
      this.draw();
      this.drawAlerts(alerts);
    } catch (error) {
      byId('devices-empty').hidden = false;
      byId('devices-empty').textContent = `Devices cannot be shown: ${error.message}`;
    }
  }

  describe(totals) {
    const sessions = totals.sessions_selecting + totals.sessions_active + totals.sessions_away + totals.sessions_waiting;
    const tiles = [['Sessions', sessions], ['Away', totals.sessions_away], ['Free ports', totals.ports_free]];
    byId('devices-tiles').replaceChildren(...tiles.map(([name, number]) => element('div', '', '', [
      element('dt', 'quiet', name), element('dd', 'number', numbers.format(number))])));
  }

  draw() {
    const by = byId('devices-by').value;
    const groups = this.grouped(deviceGroupings[by]);
    const names = [...groups.keys()].sort(by === 'subnet' ? (one, other) => addressNumber(one.split('/')[0]) - addressNumber(other.split('/')[0]) : undefined);
    const focused = document.activeElement.closest('#devices details')?.dataset.key;
    this.list.replaceChildren(...names.map((name) => this.group(`${by} ${name}`, name, groups.get(name))));
    if (focused) [...this.list.children].find((made) => made.dataset.key === focused)?.firstElementChild.focus();
    byId('devices-empty').hidden = this.all.length > 0;
    byId('devices-empty').textContent = 'No device is here.';
  }

  grouped(nameOf) {
    const groups = new Map();
    for (const device of this.all) {
      const name = nameOf(device);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(device);
    }
    return groups;
  }

  group(key, name, devices) {
    const made = element('details', '', '', [element('summary', '', name, [element('span', 'count', numbers.format(devices.length))])]);
    const fill = () => { if (made.childElementCount === 1) made.append(this.rows(devices)); };
    made.dataset.key = key;
    made.open = this.open.has(key);
    if (made.open) fill();
    made.addEventListener('toggle', () => {
      if (made.open) this.open.add(key);
      else this.open.delete(key);
      if (made.open) fill();
    });
    return made;
  }

  rows(devices) {
    const rows = devices.slice(0, deviceRowsMax).map((device) => element('li', '', '', [
      this.opener(device), ` ${device.address} · ${device.type || 'type not known yet'} · `,
      element('span', device.state === 'active' ? '' : 'badge', device.state), device.host ? ` · ${device.host}` : '', ` · heard ${describeAge(device.silent_seconds)} ago`,
      device.rtt_milliseconds === null ? '' : ` · ${describeDuration(device.rtt_milliseconds / 1000)}`]));
    if (devices.length > rows.length) rows.push(element('li', 'quiet', `and ${numbers.format(devices.length - rows.length)} more: see api/v1/devices`));
    return element('ul', '', '', rows);
  }

  /** The name of a device, which opens its details once it has a session. */
  opener(device) {
    if (device.session === 0) return element('b', '', device.uid || 'no uid yet');
    const made = element('button', 'name', device.uid || 'no uid yet');
    made.addEventListener('click', () => this.show(device.uid || device.address));
    return made;
  }

  drawAlerts(alerts) {
    byId('devices-alerts').replaceChildren(...alerts.map((alert) => element('li', '', '', [
      timeElement(alert.time, describeAge(ageOf(alert.time))), element('span', 'code', alert.code), `${alert.uid || alert.address} ${alert.message}`])));
    byId('devices-calm').hidden = alerts.length > 0;
  }
}
