// The members of internal objects, which get short names in the minified scripts. A name is missing
// here if it is also one of JavaScript, the browser, a message, the data block or a .d.ts file.
export const MEMBERS = [
  "Live", "NamedView", "Plot", "TickerView", "Visitor", "abbreviate", "act", "alarm", "anchor",
  "arm", "arrow", "askFrame", "awaitWelcome", "away", "back", "begin", "blank", "box",
  "build", "changed", "client", "clock", "cursor", "dead", "doubt", "drawing", "dress",
  "due", "dueAt", "edition", "ends", "exponent", "factor", "facts", "fade", "fading", "fields",
  "figures", "first", "fits", "flashing", "forget", "formatter", "forming", "furnish", "guarded",
  "hasEnded", "hasSlept", "hasVolume", "hear", "heard", "hold", "holes", "home", "host", "hurry",
  "inView", "isAsked", "isBlank", "isCut", "isDay", "isForming", "isHere", "isHole", "isInside",
  "isIntact", "isLoading", "isMended", "isMerge", "isOlder", "isOpen", "isOverdue", "isSet",
  "isShown", "isSmall", "joined", "kind", "label", "labels", "later", "layout", "levels",
  "listeners", "local", "mark", "mend", "mended", "middle", "minutes", "most", "newest", "node",
  "notify", "oldest", "opening", "overview", "own", "paint", "pan", "paths", "pattern",
  "percent", "periodOf", "pipOf", "pitch", "places", "plot", "pointer", "present", "previous",
  "put", "reach", "readout", "refreshDate", "refusal", "release", "renew", "report", "reset",
  "reveal", "rooms", "run", "say", "schedule", "seconds", "seen", "selected", "sentence", "series",
  "settle", "shades", "shapes", "sheet", "sideOf", "sight", "signed", "spell", "spoken", "start",
  "stripes", "takenAt", "tick", "ticks", "timer", "tint", "tints", "tools", "tries", "unwatch",
  "wait", "watch", "welcome", "words", "writeText", "written",
];
