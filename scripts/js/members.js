// The members of internal objects, which get short names in the minified scripts. A name is missing
// here if it is also one of JavaScript, the browser, a message, the data block or a .d.ts file.
export const MEMBERS = [
  "Live", "NamedView", "TickerView", "abbreviate", "alarm", "arm", "askFrame", "awaitWelcome",
  "away", "back", "begin", "blank", "build", "changed", "clock", "dead", "doubt", "dress", "due",
  "dueAt", "fade", "fading", "fields", "figures", "flashing", "forget", "hasSlept", "hear", "heard",
  "hold", "home", "host", "hurry", "inView", "isAsked", "isMerge", "isOverdue", "isSet", "joined",
  "kind", "label", "later", "listeners", "mark", "mend", "minutes", "newest", "notify", "opening",
  "overview", "own", "paint", "pattern", "percent", "pipOf", "present", "put", "refreshDate",
  "refusal", "release", "renew", "reset", "run", "say", "schedule", "seen", "selected", "sentence",
  "settle", "signed", "spell", "start", "takenAt", "tick", "timer", "tint", "tints", "tries",
  "unwatch", "wait", "watch", "words", "writeText",
];
