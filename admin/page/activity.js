
// What has happened, the newest first.

const activityMax = 100;
const activitySigns = { added: ['+', 'joined'], changed: ['~', 'has other methods'], removed: ['−', 'left'] };

class Activity {
  constructor() {
    this.list = byId('activity');
    this.list.hidden = true;
    setInterval(() => this.refreshAges(), 10000);
  }

  /** Changes in order, the oldest first. */
  add(changes, fresh) {
    const newest = changes.slice(-activityMax).reverse();
    this.list.prepend(...newest.map((change) => this.entry(change, fresh)));
    while (this.list.childElementCount > activityMax) this.list.lastElementChild.remove();
    this.describe();
  }

  replaceAll(changes) {
    this.list.replaceChildren();
    this.add(changes, false);
    this.describe();
  }

  describe() {
    this.list.hidden = this.list.childElementCount === 0;
    byId('activity-empty').hidden = !this.list.hidden;
  }

  entry(change, fresh) {
    const [sign, verb] = activitySigns[change.kind];
    const mark = element('span', 'sign', sign);
    mark.setAttribute('aria-hidden', 'true');
    const text = element('span', 'text', '', [element('b', '', change.address), ` ${verb}`]);
    if (change.methods !== '') text.append(element('span', 'quiet', ` ${change.methods}`));
    if (change.reason) text.append(element('span', 'quiet', ` ${describeReason(change.reason)}`));
    const made = element('li', fresh ? `${change.kind} fresh` : change.kind, '', [mark, text, timeElement(change.time, describeAge(ageOf(change.time)))]);
    return made;
  }

  refreshAges() {
    for (const time of this.list.querySelectorAll('time')) time.textContent = describeAge(ageOf(time.dateTime));
  }
}
