// The members of internal objects, which get short names in the minified scripts. A name is missing
// here if it is also one of JavaScript, the browser, a message, the data block or a .d.ts file.
export const MEMBERS = [
  "Live", "NamedView", "TickerView", "abbreviate", "alarm", "arm", "askFrame", "awaitWelcome",
  "away", "back", "begin", "blank", "build", "changed", "client", "clock", "dead", "doubt", "dress", "due",
  "dueAt", "edition", "fade", "fading", "fields", "figures", "flashing", "forget", "guarded", "hasSlept", "hear", "heard",
  "hold", "home", "host", "hurry", "inView", "isAsked", "isMerge", "isOverdue", "isSet", "joined",
  "kind", "label", "later", "listeners", "mark", "mend", "minutes", "newest", "node", "notify", "offset", "opening",
  "overview", "own", "paint", "pattern", "percent", "pipOf", "present", "put", "refreshDate",
  "refusal", "release", "renew", "reset", "rooms", "run", "say", "schedule", "seconds", "seen", "selected", "sentence",
  "settle", "signed", "spell", "start", "takenAt", "tick", "timer", "tint", "tints", "tries",
  "unwatch", "wait", "watch", "words", "writeText", "written",
];
