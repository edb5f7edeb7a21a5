
// Words and elements. Text from the server goes through textContent only, never into markup.

const numbers = new Intl.NumberFormat('en');
const clockTimes = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const fullTimes = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

const byId = (id) => document.getElementById(id);

/** An element with a class and text; children are elements. */
function element(tag, name = '', text = '', children = []) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text !== '') made.textContent = text;
  made.append(...children);
  return made;
}

/** "3d 4h", "12m", "8s": coarse, for ages. */
function describeAge(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m`;
  if (s < 86400) return `${Math.floor(s / 3600)}h ${Math.floor(s / 60) % 60}m`;
  return `${Math.floor(s / 86400)}d ${Math.floor(s / 3600) % 24}h`;
}

function describeDuration(seconds) {
  if (seconds === 0) return '0 ms';
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(2))} ms`;
  return `${Number(seconds.toPrecision(2))} s`;
}

function describeBytes(bytes) {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
  return `${Number(bytes.toPrecision(3))} ${units[unit]}`;
}

/** Why a client was removed, as the database has it, in words; a code stays what it is. */
function describeReason(reason) {
  const words = { closed: 'closed the connection', lost: 'the connection broke', 'not back': 'did not come back after the restart',
    E301: 'fell silent, E301', E302: 'read too slowly, E302', E408: 'banned, E408', E409: 'ended by the operator, E409' };
  return words[reason] ?? reason;
}

/** A rate: whole when it is large, with one digit when it is small. */
function describeRate(value) {
  return numbers.format(value >= 100 ? Math.round(value) : Number(value.toFixed(1)));
}

/** The server's clock, as far as its answers tell: ages are right also when the browser's clock is not. */
const serverClock = {
  offset: 0,
  set(response) {
    const date = Date.parse(response.headers.get('Date') ?? '');
    if (!Number.isNaN(date)) this.offset = date - Date.now();
  },
  now() { return Date.now() + this.offset; },
};

function ageOf(iso) { return (serverClock.now() - Date.parse(iso)) / 1000; }

/** A <time> of a moment: its age or the clock's time, the whole date as its title. */
function timeElement(iso, text) {
  const made = element('time', '', text);
  made.dateTime = iso;
  made.title = fullTimes.format(new Date(iso));
  return made;
}

/** "10.0.0.7" as a number, to sort by. */
function addressNumber(address) {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

async function getJson(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
  serverClock.set(response);
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.code} ${answer.message}`);
  return answer;
}
