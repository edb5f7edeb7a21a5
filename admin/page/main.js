
// The page's life: load what is there, follow what happens, say so when the server cannot be reached.

const statusInterval = 5000;
const pageOfClients = 5000;

const detail = new Detail();
const clients = new Clients((address) => detail.openClient(address));
const activity = new Activity();
const devices = new Devices((name) => detail.openDevice(name));
const charts = {
  clients: new Chart('chart-clients', { title: 'Clients', value: (s) => s.clients, describe: (v) => numbers.format(v), least: 5 }),
  heartbeats: new Chart('chart-heartbeats', { title: 'Heartbeats', unit: 'per second', value: (s) => s.heartbeats_per_second, describe: describeRate }),
  changes: new Chart('chart-changes', { title: 'Changes', unit: 'per second', value: (s) => s.changes_per_second, describe: describeRate }),
  commits: new Chart('chart-commits', { title: 'Commit time', value: (s) => s.commit_mean_seconds, upper: (s) => s.commit_max_seconds, upperName: '┄ at most', describe: describeDuration, least: 0.001 }),
};

const page = { samples: [], waiting: 0, answered: null, events: null, pending: [], drawing: false, loading: false };

/** Where the server listens, and which of its settings wait for a restart. */
function describeWhereabouts(status) {
  const places = status.listening.map((one) => `${one.address} (${one.kind}${one.passed ? ', passed' : ''})`);
  const waiting = status.needs_restart;
  return `Listens on ${places.join(', ')}${waiting.length > 0 ? `. Waits for a restart: ${waiting.join(', ')}` : ''}`;
}

function setLink(state, text) {
  byId('link').dataset.state = state;
  byId('link-text').textContent = text;
  document.body.classList.toggle('stale', state === 'lost');
}

/** The server cannot be reached, or does not answer as it should. */
function showLost(error) {
  setLink('lost', 'Connection lost');
  byId('health').dataset.level = 'bad';
  byId('health-headline').textContent = 'The server does not answer. Trying again…';
  const seen = page.answered ? `What you see is how it was at ${clockTimes.format(page.answered)}.` : 'It has not answered yet.';
  byId('warnings').replaceChildren(element('li', 'quiet', `${seen} (${error.message})`));
}

function showHealth(status) {
  const { totals, warnings } = status;
  const failed = totals.storage !== 'usable';
  byId('health').dataset.level = failed ? 'bad' : warnings.length > 0 ? 'warn' : 'good';
  const grace = totals.grace_left_seconds > 0 && totals.waiting > 0
    ? ` It was restarted: ${numbers.format(totals.waiting)} clients have ${describeAge(totals.grace_left_seconds)} left to come back.` : '';
  const headline = failed ? 'Joins cannot be stored; heartbeats go on.' : warnings.length > 0 ? 'The server needs a look.' : 'All is well.';
  byId('health-headline').textContent = headline + grace;
  byId('warnings').replaceChildren(...warnings.map((warning) => element('li', '', '', [
    element('span', 'code', warning.code), warning.message, element('span', 'quiet', ` · since ${describeAge(ageOf(warning.since))}`)])));
}

function showStatus(status) {
  const { totals, rates } = status;
  showHealth(status);
  byId('about').textContent = `${location.host} · version ${status.version} · up ${describeAge(totals.uptime_seconds)}`;
  byId('whereabouts').textContent = describeWhereabouts(status);
  charts.heartbeats.setNow(rates.heartbeats);
  charts.changes.setNow(rates.changes);
  const commit = page.samples.findLast((sample) => sample.commits > 0)?.commit_mean_seconds ?? status.last_commit_seconds;
  charts.commits.setNow(commit, describeDuration(commit), 'mean');
  byId('storage').textContent = `Storage ${totals.storage} · database ${describeBytes(totals.database_bytes)}, write-ahead log ${describeBytes(totals.wal_bytes)} · `
    + `${numbers.format(totals.handshakes)} joining · ${numbers.format(totals.bans)} banned`;
  page.sessions = totals.sessions;
  if (totals.waiting !== page.waiting) loadClients().catch(showLost);
  page.waiting = totals.waiting;
  showCount();
}

function showCount() {
  const waiting = page.waiting > 0 ? `, ${numbers.format(page.waiting)} waiting` : '';
  if (clients.loaded) charts.clients.setNow(clients.all.size, numbers.format(clients.all.size), `${numbers.format(page.sessions ?? 0)} sessions${waiting}`);
}

async function loadHistory() {
  const newest = page.samples.at(-1);
  const answer = await getJson(`api/v1/history${newest ? `?after=${encodeURIComponent(newest.time)}` : ''}`);
  const until = serverClock.now() / 1000;
  page.samples.push(...answer.samples.map((sample) => ({ ...sample, at: Date.parse(sample.time) / 1000 })));
  page.samples = page.samples.filter((sample) => sample.at > until - chartSeconds);
  for (const chart of Object.values(charts)) chart.draw(page.samples, until);
}

async function refresh() {
  try {
    const status = await getJson('api/v1/status');
    showStatus(status);
    page.answered = new Date();
    devices.refresh(status.totals.devices);
    await loadHistory();
    if (!page.events) await loadClients();
    else if (page.events.readyState === EventSource.OPEN) setLink('live', 'Live');
  } catch (error) {
    showLost(error);
  }
  setTimeout(refresh, statusInterval);
}

/** All clients and what happened last; then whatever comes after that. */
async function loadClients() {
  if (page.loading) return;
  page.loading = true;
  try {
    const found = [];
    let sequence = null;
    for (let after = ''; after !== null;) {
      const answer = await getJson(`api/v1/clients?limit=${pageOfClients}${after && `&after=${after}`}`);
      found.push(...answer.clients);
      sequence ??= answer.sequence;
      after = answer.next;
    }
    const recent = await getJson(`api/v1/changes?limit=${activityMax}`);
    clients.replaceAll(found);
    activity.replaceAll(recent.changes.filter((change) => change.sequence <= sequence));
    showCount();
    follow(sequence);
  } finally {
    page.loading = false;
  }
}

function follow(sequence) {
  page.events?.close();
  page.pending = [];
  const events = new EventSource(`api/v1/events?after=${sequence}`);
  page.events = events;
  events.addEventListener('open', () => setLink('live', 'Live'));
  events.addEventListener('change', (event) => takeSoon(JSON.parse(event.data)));
  events.addEventListener('missed', () => loadClients().catch(showLost));
  events.addEventListener('error', () => {
    if (page.events !== events || events.readyState !== EventSource.CLOSED) return;
    // Refused, such as the seventeenth listener: the list is then read again and again.
    page.events = null;
    setLink('polling', `Every ${statusInterval / 1000} s`);
  });
}

/** Taken at once, and drawn once a frame, however many come; nothing is drawn while nobody looks. */
function takeSoon(change) {
  if (change.kind === 'added' && clients.all.has(change.address)) change.kind = 'changed';
  clients.apply(change);
  page.pending.push(change);
  if (page.pending.length > activityMax) page.pending.shift();
  if (page.drawing) return;
  page.drawing = true;
  requestAnimationFrame(drawTaken);
}

function drawTaken() {
  page.drawing = false;
  clients.arrange();
  activity.add(page.pending, true);
  page.pending = [];
  showCount();
}

setInterval(() => clients.drawSoon(true), 30000);
refresh();
