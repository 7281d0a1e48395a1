// Gives a test the client's clock and dice, and a log of everything that a client reports.
const clock = {
  now: 1_700_000_000_000, timers: new Map(), intervals: new Map(), id: 0, delays: [], random: 0.5,
  slept: 0,
};

clock.advance = (ms) => {
  const end = clock.now + ms;
  for (;;) {
    const all = [...clock.timers].filter(([, timer]) => timer.at <= end);
    const [due] = all.sort((a, b) => a[1].at - b[1].at);
    if (!due) break;
    clock.timers.delete(due[0]);
    clock.now = due[1].at;
    due[1].ring();
  }
  clock.now = end;
};

clock.next = () => Math.min(...[...clock.timers.values()].map(({ at }) => at)) - clock.now;
clock.ringNext = () => clock.advance(clock.next());

// The machine sleeps: the date goes on, timers and the monotonic clock stand still.
clock.sleep = (ms) => {
  clock.slept += ms;
  for (const ring of [...clock.intervals.values()]) ring();
};

Object.assign(FCSClient.adapters, {
  now: () => clock.now,
  date: () => clock.now + clock.slept,
  random: () => clock.random,
  setTimeout: (ring, ms) => {
    clock.timers.set(++clock.id, { ring, at: clock.now + ms });
    clock.delays.push(ms);
    return clock.id;
  },
  clearTimeout: (id) => clock.timers.delete(id),
  setInterval: (ring) => {
    clock.intervals.set(++clock.id, ring);
    return clock.id;
  },
  clearInterval: (id) => clock.intervals.delete(id),
});

globalThis.setHidden = (hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};

globalThis.makeClient = (url, options) => {
  const client = Object.assign(new FCSClient(undefined, url), options);
  globalThis.client = client;
  globalThis.log = [];
  const count = (name) => log.filter(([logged]) => logged === name).length;
  for (const name of ["onconnected", "onreconnect", "onmessage", "onclose", "onerror"]) {
    client[name] = (detail) => log.push([name, detail?.code ?? detail?.message ?? detail ?? null]);
  }
  client.onmessage = (message) => log.push(["onmessage", message]);
  client.addEventListener("state", ({ detail }) => log.push(["state", detail.state]));
  globalThis.count = count;
};
